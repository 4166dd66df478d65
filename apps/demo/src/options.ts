import { Command, InvalidArgumentError } from 'commander';

export interface DemoOptions {
  /** Phones over the whole country. */
  readonly devices: number;
  /** Exit when the job is done instead of staying up. */
  readonly once: boolean;
}

export function readOptions(argv: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description('Does the whole job once, from the report to the reunion, on real geography.')
    .option('--devices <number>', 'phones over the whole country, 1 000 to 10 000 000', count, 100_000)
    .option('--once', 'exit when the job is done: 0 when the books balance, else 1', false);
  return command.parse(argv).opts<DemoOptions>();
}

function count(value: string): number {
  const number = Number(value.replaceAll('_', ''));
  if (Number.isInteger(number) && number >= 1_000 && number <= 10_000_000) return number;
  throw new InvalidArgumentError('must be a whole number from 1 000 to 10 000 000.');
}
