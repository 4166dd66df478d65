import { dirname, resolve } from 'node:path';
import { CasesModule } from '#cases';
import { DispatchModule, Restoration, type Restored } from '#dispatch';
import { type Env, Refusal } from '#platform';
import { MIGRATIONS } from '../../../../migrations/index.ts';
import { withServices } from '../context.ts';
import { setRoles } from '../database-roles.ts';
import { CommandError, type Io, type Result, settings } from '../io.ts';
import * as migrate from '../migrate.ts';
import { type Archive, demandWhole, dumpOf, listArchives, type Part, readArchive } from './archive.ts';
import { vaultsBeside } from './backup.ts';
import type { BackupRefusal } from './backup.errors.ts';
import { BackupDatabase } from './database.repository.ts';
import { findTool, runTool, type Tool } from './postgres-tools.ts';

export interface RestoreOptions {
  /** The directory of one backup. */
  readonly from: string;
  /** That of one vault, or one that holds vaults: the newest is taken. */
  readonly vault?: string;
}

/** So many of what is in the way are named. */
const NAMED = 3;

const AGAIN = 'Drop the database, create it anew, and restore again.';

/**
 * Restores a backup beside the newest vault into an empty database, erases again what was erased since, and holds every live
 * alert before any process may read it.
 * @throws Refusal whatever {@link BackupRefusal} names for a restore; then nothing has been changed
 * @throws CommandError with the next step where it fails midway
 */
export async function restore(io: Io, { from, vault = vaultsBeside(dirname(resolve(from))) }: RestoreOptions) {
  const env = settings(io);
  const tables = await readArchive(from, 'tables');
  const keys = await vaultOf(vault, tables);
  demandKnown(tables);
  for (const archive of [tables, keys]) await demandWhole(archive);
  await BackupDatabase.with(env, async (database) => {
    const needed = [tables, keys].map(({ manifest }) => manifest.pgDump);
    const tool = findTool('pg_restore', Math.max(await database.serverMajor(), ...needed), io.env['PATH']);
    await demandFree(database);
    for (const archive of [tables, keys]) await load(io, env, tool, archive);
  });
  await midway('The migration', AGAIN, () => migrate.up(io));
  const restored = await midway('The holding of alerts', AGAIN, () => arrive(io));
  // Last: until then no process may read or send anything.
  const next = 'The alerts are held. Mend the cause, then `npm run cli -- database roles`.';
  const { roles } = await midway('The granting of privileges', next, () => setRoles(io));
  return report({ tables, keys }, restored, roles);
}

async function vaultOf(given: string, { manifest }: Archive): Promise<Archive> {
  const newest =
    (await listArchives(given, 'vault')).at(-1) ?? (await readArchive(given, 'vault').catch(() => undefined));
  if (!newest) {
    throw new Refusal<BackupRefusal>(
      'vault_missing',
      `${given} holds no vault: name it with --vault. Without the keys no case can be read.`,
    );
  }
  if (newest.manifest.deployment !== manifest.deployment) {
    throw new Refusal<BackupRefusal>('vault_foreign', `${newest.dir} is the vault of another deployment.`);
  }
  if (newest.manifest.takenAt < manifest.takenAt) {
    throw new Refusal<BackupRefusal>(
      'vault_older',
      `${newest.dir} is older than the backup: cases filed in between would be lost. Name the newest with --vault.`,
    );
  }
  return newest;
}

/** @throws Refusal `schema_newer` */
function demandKnown({ manifest: { schema } }: Archive): void {
  if (MIGRATIONS.some(({ name }) => name === schema)) return;
  throw new Refusal<BackupRefusal>(
    'schema_newer',
    `The backup’s schema is ${schema}, which this version does not know: restore with the version that wrote it.`,
  );
}

/** @throws Refusal `backup_running`, `database_not_empty`, `database_in_use` */
async function demandFree(database: BackupDatabase): Promise<void> {
  if (!(await database.tryLock())) {
    throw new Refusal<BackupRefusal>('backup_running', 'Another backup or restore is at this database: wait for it.');
  }
  const contents = await database.contents(NAMED);
  if (contents.length > 0) {
    throw new Refusal<BackupRefusal>(
      'database_not_empty',
      `The database of DATABASE_URL holds ${contents.join(', ')} …: restore into a new, empty one.`,
    );
  }
  const sessions = await database.sessions();
  if (sessions.length === 0) return;
  const names = sessions.slice(0, NAMED).map(({ login, application }) => `${application || 'a program'} as ${login}`);
  throw new Refusal<BackupRefusal>('database_in_use', `Others are connected (${names.join(', ')}): stop them first.`);
}

/** All of a dump or, when it fails, nothing of it. */
function load(io: Io, { DATABASE_URL }: Env, tool: Tool, archive: Archive): Promise<void> {
  const { part } = archive.manifest;
  // Comments are left out, for an extension's belong to whoever installed it.
  const flags = ['--single-transaction', '--exit-on-error', '--no-owner', '--no-privileges', '--no-comments'];
  const [args, databaseUrl, env] = [[...flags, dumpOf(archive)], DATABASE_URL, io.env];
  const progress = (table: string) => io.error(`${part}: ${table}`);
  const next: Record<Part, string> = { tables: 'Nothing was changed. Mend the cause and restore again.', vault: AGAIN };
  return midway(`The restore of the ${part}`, next[part], () => runTool({ tool, args, databaseUrl, env, progress }));
}

function arrive(io: Io): Promise<Restored> {
  const modules = [CasesModule, DispatchModule];
  return withServices(io, (services) => services.get(Restoration, { strict: false }).arrive(), modules);
}

/** A step after which something is changed: when it fails, the next one is said. */
async function midway<Value>(what: string, next: string, step: () => Promise<Value>): Promise<Value> {
  try {
    return await step();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${what} failed: ${why}\nnext: ${next}`);
  }
}

function report(
  { tables, keys }: { readonly tables: Archive; readonly keys: Archive },
  { erased, ending, held }: Restored,
  roles: readonly string[],
): Result {
  return {
    restored: [
      { what: 'tables', of: tables.manifest.takenAt, from: tables.dir },
      { what: 'vault', of: keys.manifest.takenAt, from: keys.dir },
      { what: 'schema', of: MIGRATIONS.at(-1)?.name ?? '', from: tables.manifest.schema },
    ],
    erased: `${erased}`,
    ending: `${ending}`,
    held: `${held}`,
    roles,
    next: [
      { do: 'on a new server: npm run cli -- database login …, for each process' },
      { do: 'start the api, the workers and the pages' },
      { do: 'freeze again whom you froze since the backup' },
      { do: 'end each held alert that has ended since; two officers resume the others' },
    ],
  };
}
