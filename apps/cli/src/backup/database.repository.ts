import { Client } from 'pg';
import type { Env } from '#platform';

/** Any number that other programs on the same database do not use as an advisory lock. */
const LOCK = 727_200_020;

/** What is dumped, at one instant. */
export interface Snapshot {
  /** What `pg_dump --snapshot` takes; it lives as long as the connection. */
  readonly name: string;
  readonly takenAt: string;
  readonly deployment: string;
  readonly schema: string;
}

/** Somebody else's connection to the database. */
export interface Session {
  readonly login: string;
  readonly application: string;
}

/** The database that is backed up, or restored into. */
export class BackupDatabase {
  private constructor(private readonly client: Client) {}

  /** Connects, and leaves again when the work is done. */
  static async with<Result>(env: Env, work: (database: BackupDatabase) => Promise<Result>): Promise<Result> {
    // Nobody hurries it: a dump takes as long as it takes.
    const options = '-c idle_in_transaction_session_timeout=0';
    const client = new Client({ connectionString: env.DATABASE_URL, application_name: 'golden72-backup', options });
    await client.connect();
    try {
      return await work(new BackupDatabase(client));
    } finally {
      await client.end();
    }
  }

  /** The major version of the server. */
  async serverMajor(): Promise<number> {
    const { rows } = await this.client.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS version`,
    );
    return rows[0]?.version ?? 0;
  }

  /** @returns false where somebody else is backing up or restoring; the lock goes with the connection */
  async tryLock(): Promise<boolean> {
    const { rows } = await this.client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK]);
    return rows[0]?.locked ?? false;
  }

  /** Holds one state of the database for as many dumps as want it. */
  async snapshot(): Promise<Snapshot> {
    await this.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await this.client.query<Omit<Snapshot, 'takenAt'> & { takenAt: Date }>(
      `SELECT pg_export_snapshot() AS name, clock_timestamp() AS "takenAt", i.deployment,
         (SELECT name FROM migrations ORDER BY timestamp DESC LIMIT 1) AS schema
       FROM deployment_identity i`,
    );
    const [row] = rows;
    if (!row) throw new Error('deployment_identity has lost its row');
    return { ...row, takenAt: row.takenAt.toISOString() };
  }

  /** What stands in the database that no extension has brought: of an empty one nothing. */
  async contents(limit: number): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>(
      `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
         AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
       ORDER BY 1 LIMIT $1`,
      [limit],
    );
    return rows.map(({ name }) => name);
  }

  /** Who else is connected. */
  async sessions(): Promise<Session[]> {
    const { rows } = await this.client.query<Session>(
      `SELECT usename AS login, application_name AS application FROM pg_stat_activity
       WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY backend_start`,
    );
    return rows;
  }
}
