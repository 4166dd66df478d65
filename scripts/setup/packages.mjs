import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { runLogged } from './run-logged.mjs';
import { readJson } from './purpose.mjs';
import { SetupError } from './setup-error.mjs';

const OLDEST = [20, 19];
const PROJECT_MAJOR = 24;

/** The Node that runs the bootstrap is the system's; the project runs on the one among its packages. */
export function checkOwnNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new SetupError(
    `Golden72's set-up needs Node ${OLDEST.join('.')} or newer; this is ${version}. See nodejs.org.`,
  );
}

/** @returns {string} the project's own Node */
export const nodeOf = (root) => join(root, 'node_modules/.bin/node');

/** Whether npm has installed what package-lock.json asks for: it notes that itself, at the end of every install. */
export function packagesAreCurrent(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (!wanted) throw new SetupError(`${join(root, 'package-lock.json')} is missing or broken.`);
  if (!installed) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (path === '' || link) return true;
    const found = installed[path];
    return found ? found.version === version && found.integrity === integrity : optional === true;
  });
}

/** @param {{ root: string, local: string, stop: AbortSignal }} place */
export async function installPackages({ root, local, stop }) {
  refuseForeignPackages(root);
  // Development packages build the project: they are wanted whatever NODE_ENV says.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  await runLogged('npm', args, { cwd: root, log: join(local, 'npm.log'), stop, name: 'npm ci' });
}

/** npm empties what a link points to before it installs: the packages of another checkout, which may be at work. */
function refuseForeignPackages(root) {
  const packages = join(root, 'node_modules');
  if (!lstatSync(packages, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  throw new SetupError(
    `${packages} is a link to the packages of another checkout, which are not those of this one's package-lock.json. ` +
      'Remove the link and try again: this checkout gets its own.',
  );
}

/** @param {string} root */
export function checkProjectNode(root) {
  const node = nodeOf(root);
  const { stdout } = existsSync(node) ? spawnSync(node, ['-v'], { encoding: 'utf8' }) : {};
  if (stdout?.startsWith(`v${PROJECT_MAJOR}.`)) return;
  throw new SetupError(
    `${node} is not Node ${PROJECT_MAJOR} (${stdout?.trim() || 'it does not run'}). ` +
      "Its npm package needs its install script: 'npm rebuild node', or remove node_modules and try again.",
  );
}
