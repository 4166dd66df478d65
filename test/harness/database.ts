import { createHash, randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { databaseOptions, type Env } from '#platform';
import { MIGRATIONS } from '../../migrations/index.ts';

/** A database of a test file's own, cloned from a migrated template: milliseconds instead of migrations. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

const server = () => {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL is not set: run the tests by `npm test`, or see `npm run services`');
  return url;
};

const named = (database: string) => Object.assign(new URL(server()), { pathname: `/${database}` }).href;

/** Clones the template, making it first when this version of the migrations has none yet. */
export function createTestDatabase(): Promise<TestDatabase> {
  return create(async (admin) => {
    await admin.query('SELECT pg_advisory_lock(7272)');
    return ensureTemplate(admin);
  });
}

/** A new database without anything in it. */
export const createEmptyDatabase = (): Promise<TestDatabase> => create(async () => 'template0');

/** A copy of a database to which nobody is connected. */
export const cloneDatabase = (url: string): Promise<TestDatabase> => create(async () => new URL(url).pathname.slice(1));

async function create(templateOf: (admin: Client) => Promise<string>): Promise<TestDatabase> {
  const name = `golden72_test_${randomBytes(6).toString('hex')}`;
  await administer(async (admin) => {
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${await templateOf(admin)}`);
  });
  return {
    url: named(name),
    drop: () => administer(async (admin) => void (await admin.query(`DROP DATABASE ${name} WITH (FORCE)`))),
  };
}

async function administer(work: (admin: Client) => Promise<void>): Promise<void> {
  const admin = new Client(server());
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

async function ensureTemplate(admin: Client): Promise<string> {
  const digest = createHash('sha256').update(MIGRATIONS.map(String).join('\n')).digest('hex').slice(0, 12);
  const template = `golden72_template_${digest}`;
  const known = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
  if (known.rowCount) return template;
  const raw = `${template}_raw`;
  await admin.query(`DROP DATABASE IF EXISTS ${raw} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${raw}`);
  const source = new DataSource({
    ...databaseOptions({ DATABASE_URL: named(raw), DATABASE_POOL: 2 } as Env, 'golden72-test-template'),
    migrations: MIGRATIONS,
  });
  await source.initialize();
  await source.runMigrations({ transaction: 'all' });
  await source.destroy();
  await admin.query(`ALTER DATABASE ${raw} RENAME TO ${template}`);
  return template;
}
