import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runLogged } from './run-logged.mjs';
import { say, step } from './say.mjs';

const SOURCES = ['apps', 'libs', 'migrations'];
const SETTINGS = ['package.json', 'package-lock.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json'];

/** One digest over all that the build depends on: names and contents, so that dates do not matter. */
function digestOf(root) {
  const hash = createHash('sha256');
  for (const path of [...SETTINGS, ...SOURCES.flatMap((dir) => filesUnder(root, dir))]) {
    const file = join(root, path);
    if (existsSync(file)) hash.update(path).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

const filesUnder = (root, dir) =>
  readdirSync(join(root, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();

/**
 * Builds unless the last build was of the same sources.
 * @param {{ root: string, local: string, stop: AbortSignal }} place
 */
export async function build({ root, local, stop }) {
  const stamp = join(root, 'dist/.golden72-build');
  const digest = digestOf(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const log = join(local, 'build.log');
  say('Building into dist/: about half a minute.');
  await step('build', () => runLogged('npm', ['run', 'build'], { cwd: root, log, stop, name: 'The build' }));
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, digest);
}
