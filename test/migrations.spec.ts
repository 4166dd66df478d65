import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { MIGRATIONS } from '../migrations/index.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

describe('migrations', () => {
  let database: TestDatabase;
  let source: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await new DataSource({ type: 'postgres', url: database.url, migrations: MIGRATIONS }).initialize();
  });

  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const tables = async () => {
    const rows = await source.query<{ table_name: string }[]>(
      `SELECT table_name FROM information_schema.tables
       WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT IN ('migrations', 'spatial_ref_sys')
       ORDER BY 1`,
    );
    return rows.map((row) => row.table_name);
  };

  it('go down one by one to nothing, and up again to the same tables', async () => {
    const before = await tables();
    expect(before).toContain('batch_recipients');
    for (let i = 0; i < MIGRATIONS.length; i++) await source.undoLastMigration();
    expect(await tables()).toEqual([]);
    await source.runMigrations();
    expect(await tables()).toEqual(before);
  });

  it('count results from the results themselves', async () => {
    const columns = await source.query<{ column_name: string }[]>(
      `SELECT column_name FROM information_schema.columns WHERE table_name = 'batches' AND is_generated = 'ALWAYS'`,
    );
    expect(columns).toHaveLength(7);
  });

  it('count each result once, and all as pending where there are none', async () => {
    const generated = await source.query<{ name: string; expression: string }[]>(
      `SELECT column_name AS name, generation_expression AS expression FROM information_schema.columns
       WHERE table_name = 'batches' AND is_generated = 'ALWAYS'`,
    );
    const counts = generated.map(({ name, expression }) => `${expression} AS ${name}`).join(', ');
    const rows = await source.query<unknown[]>(
      `SELECT ${counts} FROM (VALUES (14::smallint, 'aaaaukkrr.~~es'), (3::smallint, NULL)) AS batch (size, results)`,
    );
    const none = { accepted: 0, unregistered: 0, rejected: 0, expired: 0, stopped: 0, unknown: 0 };
    expect(rows).toEqual([
      { accepted: 4, unregistered: 1, rejected: 2, expired: 1, stopped: 1, unknown: 2, pending: 3 },
      { ...none, pending: 3 },
    ]);
  });
});
