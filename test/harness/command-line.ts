import { run } from '../../apps/cli/src/program.ts';
import { redisUrl } from './env.ts';

/** What a command has said. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs a command of the command line, as its owner does, on a database. */
export async function commandLine(databaseUrl: string, args: readonly string[], input = ''): Promise<Said> {
  const [out, error]: [string[], string[]] = [[], []];
  const env = { NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: databaseUrl, REDIS_URL: redisUrl() };
  const io = {
    env,
    out: (words: string) => out.push(words),
    error: (words: string) => error.push(words),
    input: async () => input,
  };
  const code = await run(io, args);
  return { code, out: out.join('\n'), error: error.join('\n') };
}
