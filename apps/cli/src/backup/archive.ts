import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { Refusal } from '#platform';
import { CommandError } from '../io.ts';
import type { BackupRefusal } from './backup.errors.ts';

/** What a dump holds: everything but the keys of cases, or these alone. They are kept for different times. */
export type Part = 'tables' | 'vault';

const MANIFEST = 'manifest.json';
const PARTIAL = '.partial';

const manifestSchema = z.object({
  format: z.literal('golden72-backup-1'),
  part: z.enum(['tables', 'vault']),
  /** The instant whose state it holds, by PostgreSQL's clock. */
  takenAt: z.iso.datetime(),
  /** The deployment it is of, through all its restores. */
  deployment: z.uuid(),
  /** The newest migration. */
  schema: z.string().min(1),
  /** Major versions of PostgreSQL. */
  server: z.int().positive(),
  pgDump: z.int().positive(),
  file: z.string().regex(/^[\w.-]+$/),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** A complete dump: a directory that holds it and its manifest. */
export interface Archive {
  readonly dir: string;
  readonly manifest: Manifest;
}

/**
 * Writes one dump. It gets its name when it is complete and on disk: half of one has no manifest and another name.
 * @param dump writes it into an open file
 */
export async function writeArchive(
  parent: string,
  about: Omit<Manifest, 'format' | 'file' | 'bytes' | 'sha256'>,
  dump: (fd: number) => Promise<void>,
): Promise<Archive> {
  const dir = join(parent, `${about.part}-${about.takenAt.replaceAll(/[-:]/g, '')}`);
  const partial = `${dir}${PARTIAL}`;
  try {
    await mkdir(partial, { recursive: true, mode: 0o700 });
    const file = `${about.part}.dump`;
    await writePrivate(join(partial, file), ({ fd }) => dump(fd));
    const { size: bytes } = await stat(join(partial, file));
    const sha256 = await digestOf(join(partial, file));
    const manifest: Manifest = { format: 'golden72-backup-1', ...about, file, bytes, sha256 };
    await writePrivate(join(partial, MANIFEST), (to) => to.writeFile(`${JSON.stringify(manifest, null, 2)}\n`));
    await rename(partial, dir);
    await syncDirectory(parent);
    return { dir, manifest };
  } catch (error) {
    await remove(partial);
    // The disk's own words say enough: no place, no right.
    throw isSystemError(error) ? new CommandError(error.message) : error;
  }
}

const isSystemError = (error: unknown): error is Error => error instanceof Error && 'syscall' in error;

/** @throws Refusal `backup_missing` where there is no complete dump of this part */
export async function readArchive(dir: string, part: Part): Promise<Archive> {
  const manifest = await manifestOf(dir);
  if (manifest?.part === part) return { dir, manifest };
  throw new Refusal<BackupRefusal>('backup_missing', `${dir} is no complete backup of the ${part}.`);
}

/** The complete dumps of a part in a directory, oldest first; none where there is no such directory. */
export async function listArchives(parent: string, part: Part): Promise<Archive[]> {
  const names = await readdir(parent).catch(() => []);
  const found: Archive[] = [];
  for (const name of names) {
    if (name.endsWith(PARTIAL)) continue;
    const dir = join(parent, name);
    const manifest = await manifestOf(dir);
    if (manifest?.part === part) found.push({ dir, manifest });
  }
  return found.sort((a, b) => (a.manifest.takenAt < b.manifest.takenAt ? -1 : 1));
}

/** Whether the dump is, byte for byte, what was written. @throws Refusal `backup_damaged` */
export async function demandWhole({ dir, manifest }: Archive): Promise<void> {
  const path = join(dir, manifest.file);
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size === manifest.bytes && (await digestOf(path)) === manifest.sha256) return;
  throw new Refusal<BackupRefusal>('backup_damaged', `${path} is not what was written then: take another backup.`);
}

export const dumpOf = ({ dir, manifest }: Archive): string => join(dir, manifest.file);

/** Removes what runs that were killed have left half-written. */
export async function removePartial(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names) if (name.endsWith(PARTIAL)) await remove(join(parent, name));
}

export const removeArchive = ({ dir }: Archive): Promise<void> => remove(dir);

const remove = (dir: string) => rm(dir, { recursive: true, force: true });

/** @returns undefined for what is none */
async function manifestOf(dir: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(dir, MANIFEST), 'utf8')));
  } catch {
    return undefined;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** For its owner alone, and on disk before anything is made of it. */
async function writePrivate(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await write(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A renamed directory is lost with the power until its parent is on disk. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}
