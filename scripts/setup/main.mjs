import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say } from './say.mjs';
import { SetupError } from './setup-error.mjs';
import { listenForStop } from './stop-requests.mjs';

/** The clone. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where everything private to this clone is kept. */
export const local = join(root, '.local');

/**
 * Runs a command of the bootstrap: its number becomes the exit code, its failure a message.
 * @param {(requests: ReturnType<typeof listenForStop>) => Promise<number>} command
 * @param {() => void} [last] what is printed after everything else
 */
export async function main(command, last = () => {}) {
  const requests = listenForStop();
  requests.stop.addEventListener('abort', () => say('Stopping …'));
  try {
    process.exitCode = await command(requests);
  } catch (error) {
    say(error instanceof SetupError ? `\n${error.message}` : (error.stack ?? String(error)));
    process.exitCode = requests.stop.aborted ? requests.code() : 1;
  } finally {
    requests.close();
    last();
  }
}
