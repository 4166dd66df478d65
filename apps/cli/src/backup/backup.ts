import { basename, dirname, join, resolve } from 'node:path';
import { Refusal } from '#platform';
import { type Io, type Result, type Row, settings } from '../io.ts';
import { type Archive, listArchives, type Part, removeArchive, removePartial, writeArchive } from './archive.ts';
import type { BackupRefusal } from './backup.errors.ts';
import { BackupDatabase, type Snapshot } from './database.repository.ts';
import { findTool, runTool, type Tool } from './postgres-tools.ts';

export interface BackupOptions {
  readonly to: string;
  /** Where the newest vault is kept. */
  readonly vault?: string;
  /** Leaves the tables out: the vault is dumped more often, for it has to be the newest. */
  readonly vaultOnly?: boolean;
}

/** Vaults are kept beside the backups, never in their midst: who copies these away must not take those along. */
export const vaultsBeside = (backups: string): string =>
  join(dirname(resolve(backups)), `${basename(resolve(backups))}-vault`);

/** What a restore makes anew, leaves to the operator, or may not write: that table is PostGIS's own, and we add nothing to it. */
const LEFT_OUT = [
  '--no-privileges',
  '--no-publications',
  '--no-subscriptions',
  '--exclude-table-data=*.spatial_ref_sys',
];

const SCHEMAS: Readonly<Record<Part, string>> = { tables: '--exclude-schema=vault', vault: '--schema=vault' };

/**
 * Dumps the tables and the vault, apart and of one instant; of the vault only this newest dump is kept.
 * @throws Refusal whatever {@link BackupRefusal} names for a backup
 */
export function backup(io: Io, { to, vault = vaultsBeside(to), vaultOnly = false }: BackupOptions): Promise<Result> {
  const env = settings(io);
  return BackupDatabase.with(env, async (database) => {
    const server = await database.serverMajor();
    const tool = findTool('pg_dump', server, io.env['PATH']);
    if (!(await database.tryLock())) {
      throw new Refusal<BackupRefusal>('backup_running', 'Another backup of this database is under way: wait for it.');
    }
    const snapshot = await database.snapshot();
    const write = async (part: Part, parent: string) => {
      await demandOwn(parent, part, snapshot.deployment);
      await removePartial(parent);
      return dump(io, { part, parent, tool, server, snapshot, databaseUrl: env.DATABASE_URL });
    };
    const tables = vaultOnly ? null : await write('tables', to);
    const keys = await write('vault', vault);
    for (const old of await listArchives(vault, 'vault')) if (old.dir !== keys.dir) await removeArchive(old);
    return { backup: [tables, keys].flatMap((archive) => (archive ? [told(archive)] : [])) };
  });
}

interface Dump {
  readonly part: Part;
  readonly parent: string;
  readonly tool: Tool;
  readonly server: number;
  readonly snapshot: Snapshot;
  readonly databaseUrl: string;
}

function dump(io: Io, { part, parent, tool, server, snapshot, databaseUrl }: Dump): Promise<Archive> {
  const { name, takenAt, deployment, schema } = snapshot;
  const about = { part, takenAt, deployment, schema, server, pgDump: tool.major };
  const args = ['--format=custom', `--snapshot=${name}`, SCHEMAS[part], ...LEFT_OUT];
  const progress = (table: string) => io.error(`${part}: ${table}`);
  return writeArchive(parent, about, (output) => runTool({ tool, args, databaseUrl, env: io.env, output, progress }));
}

/** Old vaults are removed, and one deployment must not remove another's. @throws Refusal `directory_foreign` */
async function demandOwn(parent: string, part: Part, deployment: string): Promise<void> {
  const archives = await listArchives(parent, part);
  if (archives.every(({ manifest }) => manifest.deployment === deployment)) return;
  throw new Refusal<BackupRefusal>(
    'directory_foreign',
    `${parent} holds backups of another deployment: give each a directory of its own.`,
  );
}

function told({ dir, manifest: { part, takenAt, bytes, sha256 } }: Archive): Row {
  return { part, takenAt, bytes: `${bytes}`, sha256, dir };
}
