import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { say } from './say.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * PostgreSQL refuses to run as root, so root lends its servers to an unprivileged user.
 * @returns {{ uid: number, gid: number } | undefined} undefined: run as we are
 */
export function unprivilegedUser() {
  if (process.getuid?.() !== 0) return undefined;
  const user = idsOf('postgres') ?? idsOf('nobody');
  if (!user) throw new SetupError("PostgreSQL will not run as root, and there is no user 'postgres' or 'nobody'.");
  return user;
}

function idsOf(name) {
  const id = (flag) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

/**
 * A directory for a server's data, owned by the user it runs as: beneath the purpose's own, or, where that user cannot
 * get there (a clone under /root or a private temporary directory), beneath /var/tmp with a link to it.
 * @param {string} dir the purpose's directory
 * @param {string} server
 * @param {{ uid: number, gid: number } | undefined} user
 * @returns {string}
 */
export function dataHome(dir, server, user) {
  const near = join(dir, server);
  if (!user) return ownDirectory(near);
  if (!isLink(near) && reaches(user, ownDirectory(near, user))) return near;
  const far = join(farDirectory(dir), server);
  ownDirectory(far, user);
  if (!reaches(user, far)) throw new SetupError(`User ${user.uid} can write neither to ${near} nor to ${far}.`);
  if (!isLink(near)) say(`  ${server}'s data is kept in ${far}: the user it runs as cannot enter ${dir}.`);
  if (isLink(near)) unlinkSync(near);
  else rmdirSync(near); // only ever the empty one made above
  symlinkSync(far, near);
  return far;
}

function ownDirectory(path, user) {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user) chownSync(path, user.uid, user.gid);
  return path;
}

const isLink = (path) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

function reaches(user, path) {
  return spawnSync('test', ['-w', path, '-a', '-x', path], { ...user, cwd: '/' }).status === 0;
}

/** The name follows from the clone's place, so a copied clone never shares its original's data. */
function farDirectory(dir) {
  const hash = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 12);
  const path = `/var/tmp/golden72-${hash}`;
  if (!existsSync(path)) mkdirSync(path, { mode: 0o711 });
  // Anyone may create names in /var/tmp: one that is not ours, or a link, is not to be trusted.
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== process.getuid()) throw new SetupError(`${path} belongs to someone else.`);
  return path;
}

/** @returns {{ uid: number, gid: number } | undefined} the owner of existing data, which must go on running it */
export function ownerOf(path) {
  if (process.getuid?.() !== 0) return undefined;
  const found = statSync(path, { throwIfNoEntry: false });
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : undefined;
}
