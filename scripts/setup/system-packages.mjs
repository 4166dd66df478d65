import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, installedServers } from './programs.mjs';
import { send, tailOf } from './processes.mjs';
import { say } from './say.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Debian's packages for what is missing.
 * @param {{ postgres: boolean, redis: boolean, browser: boolean, font: boolean }} missing
 * @param {{ servers: string[], known: (name: string) => boolean }} system servers: installed PostgreSQL majors, highest
 *   first; known: whether apt's lists hold a package of that name
 * @returns {string[]}
 */
export function choosePackages(missing, { servers, known }) {
  const forServer = servers.map((major) => `postgresql-${major}-postgis-3`).find(known);
  return [
    missing.postgres && (forServer ?? 'postgresql-postgis'),
    missing.redis && 'redis-server',
    missing.browser && 'chromium',
    missing.font && 'fonts-noto-cjk',
  ].filter((name) => name !== false);
}

const knownToApt = (name) => spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0;

/** @returns {string[] | undefined} how to run a command as root for apt: [] as root, ['sudo', '-n']; undefined: no way */
export function aptAccess() {
  if (!findProgram('apt-get')) return undefined;
  if (process.getuid() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

/** @param {Parameters<typeof choosePackages>[0]} missing */
export const aptPackages = (missing) => choosePackages(missing, { servers: installedServers(), known: knownToApt });

/**
 * Installs by apt, starting no service. It is not tied to us, since dpkg must not be cut off: when stopped, it is asked to
 * end at the next safe point and waited for.
 * @param {string[]} names
 * @param {{ local: string, stop: AbortSignal, access: string[] }} place
 */
export async function installSystemPackages(names, { local, stop, access }) {
  const log = join(local, 'apt.log');
  mkdirSync(local, { recursive: true });
  const output = openSync(log, 'w', 0o600);
  const script = join(dirname(fileURLToPath(import.meta.url)), 'apt-install.sh');
  const [command, ...args] = [...access, 'sh', script, ...names];
  const child = spawn(command, args, { cwd: '/', detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const onStop = () => {
    say('  apt is ending at a safe point; please wait.');
    send(child.pid, 'SIGTERM');
  };
  stop.addEventListener('abort', onStop, { once: true });
  const code = await new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  stop.removeEventListener('abort', onStop);
  if (stop.aborted) throw new SetupError('apt was stopped.');
  if (code !== 0) throw new SetupError(`apt could not install ${names.join(' ')}. ${log} ends:\n${tailOf(log)}`);
}

/** What to tell a person whose machine offers no way to install by ourselves. */
export const advice = (
  missing,
) => `Missing: ${namesOf(missing).join(', ')}. Golden72 can install this by apt (as root, or \
with sudo that asks no password) or use a running Docker engine; it found neither. Get it by hand:
  Debian, Ubuntu  sudo apt install ${choosePackages(missing, { servers: installedServers(), known: () => true }).join(' ')}
  Fedora          sudo dnf install ${['postgresql-server', 'postgis', 'valkey-compat-redis', 'chromium', 'google-noto-sans-cjk-fonts'].filter((_, i) => [missing.postgres, missing.postgres, missing.redis, missing.browser, missing.font][i]).join(' ')}
  macOS           brew install postgresql postgis redis
or set DATABASE_URL (a PostgreSQL with PostGIS) and REDIS_URL to servers you have.`;

const namesOf = (missing) =>
  [
    missing.postgres && 'PostgreSQL with PostGIS',
    missing.redis && 'Redis',
    missing.browser && 'Chromium',
    missing.font && 'a font with Chinese',
  ].filter((name) => name !== false);
