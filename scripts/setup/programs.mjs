import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const DEBIAN_SERVERS = '/usr/lib/postgresql';

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns {string | undefined} the program's path */
export function findProgram(...names) {
  const dirs = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => dirs.map((dir) => join(dir, name))).find(isExecutable);
}

/** The major versions whose server Debian's packages have installed, highest first, with PostGIS or without. */
export function installedServers(root = DEBIAN_SERVERS) {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((major) => /^\d+$/.test(major) && isExecutable(join(root, major, 'bin/postgres')))
    .sort((a, b) => Number(b) - Number(a));
}

const hasPostgis = (share) => existsSync(join(share, 'extension/postgis.control'));

/** @returns {{ binaries: string, major: string } | undefined} a PostgreSQL server that has PostGIS */
export function findPostgres() {
  const major = installedServers().find((version) => hasPostgis(`/usr/share/postgresql/${version}`));
  if (major) return { binaries: join(DEBIAN_SERVERS, major, 'bin'), major };
  const config = findProgram('pg_config');
  if (!config) return undefined;
  const ask = (flag) => spawnSync(config, [flag], { encoding: 'utf8' }).stdout.trim();
  const binaries = ask('--bindir');
  const version = /PostgreSQL (\d+)/.exec(ask('--version'))?.[1];
  const complete = version && isExecutable(join(binaries, 'postgres')) && hasPostgis(ask('--sharedir'));
  return complete ? { binaries, major: version } : undefined;
}

export const findRedis = () => findProgram('redis-server');

export const findBrowser = () =>
  findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable') ??
  ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find(isExecutable);

/** Whether pages with Chinese text can be drawn. */
export const hasChineseFont = () =>
  process.platform === 'darwin' ||
  existsSync('/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc') ||
  spawnSync('fc-list', [':lang=zh'], { encoding: 'utf8' }).stdout?.trim().length > 0;
