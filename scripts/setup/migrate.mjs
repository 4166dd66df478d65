import { join } from 'node:path';
import { runLogged } from './run-logged.mjs';
import { step } from './say.mjs';

/**
 * Brings a database to the present schema.
 * @param {{ root: string, local: string, stop: AbortSignal, urls: NodeJS.ProcessEnv }} place
 */
export async function migrate({ root, local, stop, urls }) {
  const env = { ...process.env, ...urls };
  const log = join(local, 'migrate.log');
  await step('migrations', () =>
    runLogged('npm', ['run', 'migrate'], { cwd: root, env, log, stop, name: 'The migration' }),
  );
}
