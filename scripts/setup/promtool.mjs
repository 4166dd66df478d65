import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './programs.mjs';
import { runLogged } from './run-logged.mjs';
import { say } from './say.mjs';

// Nothing is installed: Prometheus's package would start a service.
const FETCH =
  'apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=10 download prometheus && dpkg --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool && rm prometheus_*.deb';

/** @returns {string | undefined} Prometheus's own checker, where this machine has it or it was fetched */
export const findPromtool = (local) =>
  findProgram('promtool') ?? [join(local, 'promtool/promtool')].find((path) => existsSync(path));

/**
 * Fetches promtool out of Debian's package. Without it the rules are checked all the same, but not by Prometheus: so that it cannot be
 * had is no fault.
 * @param {{ local: string, stop: AbortSignal }} place
 */
export async function fetchPromtool({ local, stop }) {
  if (findPromtool(local) || !findProgram('apt-get') || !findProgram('dpkg')) return;
  const dir = join(local, 'promtool');
  mkdirSync(dir, { recursive: true });
  try {
    const log = join(local, 'promtool.log');
    await runLogged('sh', ['-c', FETCH], { cwd: dir, log, stop, name: 'fetching promtool' });
  } catch (error) {
    if (stop.aborted) throw error;
    say('promtool cannot be had here: alarms are checked without it.');
  }
}
