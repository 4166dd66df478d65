import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';

const DEBIAN_SERVERS = '/usr/lib/postgresql';

/** The database as `pg_dump` writes it, as text. @param args e.g. `--exclude-schema=vault` */
export function dumpOf(url: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(pgDump(), [...args, url], { encoding: 'utf8', maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`pg_dump: ${stderr}`);
  return stdout;
}

/** The newest that Debian's packages have installed, or the one on the path. */
function pgDump(): string {
  try {
    const majors = readdirSync(DEBIAN_SERVERS).map(Number).filter(Boolean);
    return join(DEBIAN_SERVERS, String(Math.max(...majors)), 'bin/pg_dump');
  } catch {
    return 'pg_dump';
  }
}

/**
 * Files of the database and of the write-ahead log, those written since, that hold these bytes. Needs a superuser.
 * @returns paths in PostgreSQL's data directory
 */
export async function filesHolding(db: DataSource, bytes: Buffer, since: Date): Promise<string[]> {
  await db.query('CHECKPOINT');
  const rows = await db.query<{ path: string }[]>(
    `WITH files AS (
       SELECT format('base/%s/%s', d.oid, f) AS path
       FROM pg_database d, pg_ls_dir(format('base/%s', d.oid)) f WHERE d.datname = current_database()
       UNION ALL SELECT 'pg_wal/' || name FROM pg_ls_waldir() WHERE modification >= $2::timestamptz - interval '1 second'
     )
     SELECT path FROM files CROSS JOIN LATERAL pg_stat_file(path, true) stat
     WHERE stat.size > 0 AND position($1::bytea IN pg_read_binary_file(path, 0, stat.size, true)) > 0`,
    [bytes, since],
  );
  return rows.map(({ path }) => path);
}

/** How bytes stand in a dump: as text, or as the hexadecimal digits of a `bytea`. */
export function isIn(dump: string, bytes: Buffer): boolean {
  return dump.includes(bytes.toString()) || dump.includes(bytes.toString('hex'));
}
