import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import * as audit from './audit.ts';
import type { Io } from './io.ts';

/** A chain is not as it was recorded: told already, and the exit code says it again. */
export class FaultsFound extends Error {}

/** @param json whether one JSON object is wanted */
export function addAudit(entries: Command, io: Io, json: () => boolean): void {
  entries
    .command('verify')
    .description('recompute the chains: exits 1 and names agency and entry when one is not as it was recorded')
    .option('--agency <agency>', 'this agency’s only', id)
    .option('--anchors <file>', 'heads kept elsewhere: lines of `audit anchor`, or a worker’s log')
    .action(async (options: audit.VerifyOptions) => {
      const report = await audit.verify(io, options);
      audit.tellReport(io, json(), report);
      if (report.faults.length > 0) throw new FaultsFound();
    });
  entries
    .command('anchor')
    .description('print every chain’s head, a JSON object a line: keep them where the database’s owner cannot write')
    .action(() => audit.anchor(io));
  entries
    .command('export')
    .description('print an agency’s entries, a JSON object a line')
    .requiredOption('--agency <agency>', 'id of the agency', id)
    .option('--from <instant>', 'ISO 8601 with its offset, e.g. 2026-01-01T00:00:00+08:00', instant, new Date(0))
    .option('--to <instant>', 'until before; now when left out', instant, new Date())
    .addHelpText('after', audit.RECIPE)
    .action((options: audit.ExportOptions) => audit.exportEntries(io, options));
}

function id(value: string): string {
  if (z.uuid().safeParse(value).success) return value;
  throw new InvalidArgumentError('It is not an id.');
}

function instant(value: string): Date {
  if (z.iso.datetime({ offset: true }).safeParse(value).success) return new Date(value);
  throw new InvalidArgumentError('It is not an instant such as 2026-01-01T00:00:00+08:00.');
}
