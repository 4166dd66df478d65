import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { databaseOptions, type Env, prepared } from '#platform';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

const PATIENCE = { connection: 5_000, statement: 5_000, silence: 10_000, connected: 60_000 };

describe('a prepared statement', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database?.drop());

  const connected = async (work: (source: DataSource) => Promise<void>, patience = PATIENCE) => {
    const env = { DATABASE_URL: database.url, DATABASE_POOL: 1 } as Env;
    const source = await new DataSource(databaseOptions(env, 'prepared', patience)).initialize();
    try {
      await work(source);
    } finally {
      await source.destroy();
    }
  };

  const backend = async (source: DataSource) => {
    const [row] = await source.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid');
    return row.pid;
  };

  it('is read once by a connection, and run with each value', async () => {
    await connected(async (source) => {
      const twice = (n: number) => source.query(prepared('twice', 'SELECT 2 * $1::int AS n'), [n]);
      for (let n = 0; n < 8; n++) expect(await twice(n)).toEqual([{ n: 2 * n }]);
      const known = await source.query<unknown[]>(
        'SELECT name, statement, generic_plans + custom_plans AS runs FROM pg_prepared_statements',
      );
      expect(known).toEqual([{ name: 'twice', statement: 'SELECT 2 * $1::int AS n', runs: 8 }]);
    });
  });

  it('is one of its transaction', async () => {
    await connected(async (source) => {
      await source.query('CREATE TABLE noted (n int)');
      const note = prepared('note', 'INSERT INTO noted VALUES ($1)');
      const failing = source.transaction(async (tx) => {
        await tx.query(note, [1]);
        throw new Error('undone');
      });
      await expect(failing).rejects.toThrow('undone');
      expect(await source.query('SELECT n FROM noted')).toEqual([]);
    });
  });

  it('is refused under a name that other words have', async () => {
    await connected(async (source) => {
      await source.query(prepared('same', 'SELECT 1'));
      await expect(source.query(prepared('same', 'SELECT 2'))).rejects.toThrow('must be unique');
    });
  });

  it('reads as its words where it is told of', async () => {
    expect(`${prepared('one', 'SELECT 1')}`).toBe('SELECT 1');
  });

  it('goes with its connection, which is not kept for ever', async () => {
    await connected(
      async (source) => {
        const first = await backend(source);
        const until = Date.now() + 10_000;
        while ((await backend(source)) === first) expect(Date.now()).toBeLessThan(until);
      },
      { ...PATIENCE, connected: 300 },
    );
  });
});
