import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource, EntityManager, Logger } from 'typeorm';
import { Devices, Positions } from '#audience';
import { BatchSender, Gaps, LedgerOverview, RecipientReferences } from '#dispatch';
import { Receipts } from '#engagement';
import { hashSecret, Outbox } from '#platform';
import { seedAlert } from './harness/alert-rows.ts';
import { TestCity } from './harness/city.ts';
import { makeDevices, scatter, seedAgency, SHENZHEN } from './harness/fixtures.ts';
import { undone } from './harness/undone.ts';

/** Tables that grow with the country, or with every push: nothing hot may read one of them through. */
const BIG = ['positions', 'devices', 'batches', 'batch_recipients', 'receipts'];

interface Statement {
  /** Of a prepared one, whose plan is kept for other values. */
  readonly name?: string | undefined;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly Plans?: readonly Node[];
}

/** What the product asks of PostgreSQL while an alert goes out, phones move and answer; caught on its way and explained. */
describe('the plans of hot statements', () => {
  let city: TestCity;
  let source: DataSource;
  const caught = new Map<string, Statement>();

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } });
    source = city.source;
    await populate(source);
    const quiet = source.logger;
    source.logger = new Catching(caught);
    try {
      await live(city);
    } finally {
      source.logger = quiet;
    }
  }, 120_000);

  afterAll(() => city?.close());

  /** The one statement that holds all of these words. */
  const statement = (...words: string[]): Statement => {
    const found = [...caught.values()].filter(({ sql }) => words.every((word) => sql.includes(word)));
    if (!found[0]) throw new Error(`nothing was asked with ${words.join(' and ')}`);
    return found[0];
  };

  /** Every index a statement goes by. */
  const indexesOf = async (asked: Statement, on = source.manager) =>
    new Set((await planOf(asked, on)).flatMap((node) => node['Index Name'] ?? []));

  it('read no big table through, whatever the product asked while an alert went out', async () => {
    expect(caught.size).toBeGreaterThan(20);
    for (const asked of caught.values()) {
      const tables = await readThrough(asked, source.manager);
      expect({ sql: asked.sql, tables }).toEqual({ sql: asked.sql, tables: [] });
    }
  });

  it.each([
    ['an audience by its ranges of cells', ['WITH recent'], ['positions_cell', 'batches_wave_id_seq_key']],
    ['what of it is claimed', ["SET state = 'leased'"], ['batches_pkey', 'batch_recipients_pkey']],
    ['a checkpoint', ['SET results = $3, lease_until = now()'], ['batches_pkey']],
    ['a settlement', ['SET results = $3, lease_until = NULL'], ['batches_pkey']],
    ['batches that are ready', ['AS "delayMs"'], ['batches_unsettled']],
    ['what is unsettled', ['AS "silentS"'], ['batches_unsettled', 'batches_leased', 'alerts_live']],
    ['batches whose worker went silent', ['lease_until < now() ORDER BY id'], ['batches_leased']],
    ['whom a batch is pushed to', ['SELECT id, token, platform'], ['devices_pkey']],
    ['whether there is a gap', ['INSERT INTO gap_watches'], ['batches_unsettled', 'batches_alert']],
    ['receipts', ['INSERT INTO receipts'], ['batches_pkey']],
    ['a device by its secret', ['secret_hash = $1'], ['devices_secret_hash_key']],
    ['where a device is', ['SET cell = held.cell'], ['devices_secret_hash_key', 'positions_pkey']],
  ])('find %s by index', async (_, words, indexes) => {
    const used = await indexesOf(statement(...words));
    for (const index of indexes) expect(used).toContain(index);
  });

  it('are kept for all values where a batch asks them again and again', () => {
    const kept = [...caught.values()].flatMap(({ name }) => name ?? []);
    expect(kept.sort()).toEqual(['checkpoint', 'claim', 'settle', 'targets']);
  });

  it('take the top of a long outbox by its key', async () => {
    await undone(source, async (tx) => {
      await tx.query(
        `INSERT INTO outbox (queue, name, data) SELECT 'none', 'none', '{}' FROM generate_series(1, 20000)`,
      );
      await tx.query('ANALYZE outbox');
      const asked = statement('DELETE FROM outbox');
      expect(await indexesOf(asked, tx)).toContain('outbox_pkey');
    });
  });

  it('test by PostGIS only what is in cells of the edge, each point once', async () => {
    const nodes = await planOf(statement('WITH recent'), source.manager);
    const testing = nodes.filter((node) => JSON.stringify({ ...node, Plans: [] }).includes('st_dwithin'));
    expect(testing).toHaveLength(1);
    const below = [...nodesOf(testing[0] as Node)]
      .flatMap((node) => [node['Node Type'], node['Index Name'] ?? []])
      .flat();
    expect(below).toEqual(expect.arrayContaining(['Aggregate', 'Function Scan', 'positions_cell']));
  });

  it('read no big table through in a young deployment either, whose small tables have no statistics yet', async () => {
    await undone(source, async (tx) => {
      await forgetSmallTables(tx);
      for (const asked of caught.values()) {
        const tables = await readThrough(asked, tx);
        expect({ sql: asked.sql, tables }).toEqual({ sql: asked.sql, tables: [] });
      }
    });
  });

  it('compare no receipt with batches that are not its own, when batches are few and nothing was ever reduced', async () => {
    await undone(source, async (tx) => {
      await tx.query('TRUNCATE batches CASCADE');
      await tx.query(
        `INSERT INTO batches (wave_id, alert_id, seq, provider, band, size)
         SELECT id, alert_id, n, 'fcm', 0, 500 FROM (SELECT * FROM waves LIMIT 1) AS w, generate_series(1, 2000) AS n`,
      );
      await tx.query('ANALYZE batches');
      await forgetSmallTables(tx);
      const ids = await tx.query<{ id: number }[]>('SELECT id FROM batches ORDER BY id LIMIT 160');
      const items = Array.from({ length: 256 }, (_, n) => ({ id: ids[n % ids.length]?.id, index: n % 5 }));
      const { sql } = statement('INSERT INTO receipts');
      const parameters = [items.map(({ id }) => id), items.map(({ index }) => index), items.map(() => 'received')];
      const nodes = await planOf({ sql, parameters }, tx, ', ANALYZE');
      const compared = nodes.map((node) => (node['Rows Removed by Join Filter'] ?? 0) * (node['Actual Loops'] ?? 1));
      expect(Math.max(...compared)).toBeLessThan(items.length);
    });
  });

  it.each([
    ['positions_cell', ['WITH recent']],
    ['batches_unsettled', ['AS "delayMs"']],
    ['batches_leased', ['lease_until < now() ORDER BY id']],
  ])('would be seen to be worse without %s', async (index, words) => {
    await undone(source, async (tx) => {
      await tx.query(`DROP INDEX ${index}`);
      expect(await indexesOf(statement(...words), tx)).not.toContain(index);
    });
  });
});

/** Keeps one of each statement that reads or writes rows, with its parameters. */
class Catching implements Logger {
  constructor(private readonly caught: Map<string, Statement>) {}

  logQuery(asked: string | { name: string; text: string }, parameters: readonly unknown[] = []): void {
    const { name, text } = typeof asked === 'string' ? { text: asked } : asked;
    if (/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/.test(text)) this.caught.set(text, { name, sql: text, parameters });
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

/** Enough rows of each big table that reading it through is dear, and an alert's reach is a small part of it. */
async function populate(source: DataSource): Promise<void> {
  for (let n = 0; n < 4; n++) await makeDevices(source, scatter(20_000, [104.06, 30.67], 600_000));
  await makeDevices(source, scatter(1_500, SHENZHEN, 100_000));
  const agencyId = await seedAgency(source);
  for (let n = 0; n < 50; n++) await seedAlert(source, { agencyId });
  // Held, so that what is pending of them stays so.
  await source.query(`UPDATE alerts SET held_at = now(), held_reason = 'mistake'`);
  await source.query(`UPDATE waves SET created_at = now() - interval '3 days'`);
  await source.query(
    `WITH made AS (
       INSERT INTO batches (wave_id, alert_id, seq, provider, band, size, state, results, lease_until)
       SELECT w.id, w.alert_id, n, 'fcm', n / 10, 5, state, CASE state WHEN 'settled' THEN 'aaaaa' END,
         CASE state WHEN 'leased' THEN now() + interval '1 hour' END
       FROM waves w, generate_series(1, 600) AS n,
         LATERAL (SELECT CASE WHEN n <= 300 THEN 'settled' WHEN n <= 305 THEN 'leased' ELSE 'pending' END AS state) AS moved
       RETURNING id
     ) INSERT INTO batch_recipients (batch_id, ids) SELECT id, ARRAY[1, 2, 3, 4, 5] FROM made`,
  );
  await source.query(
    `INSERT INTO receipts (batch_id, index, kind) SELECT id, n, 'received' FROM batches, generate_series(0, 4) AS n`,
  );
  await source.query('ANALYZE');
}

/** An alert goes out; a phone moves, and answers. */
async function live(city: TestCity): Promise<void> {
  const { alertId } = await city.release();
  await city.settled(alertId);
  const devices = city.worker.get(Devices);
  const registration = { provider: 'fcm', platform: 'android', token: 'sim:plans', language: 'en' } as const;
  const secret = await devices.register(registration);
  await devices.authenticate(secret);
  await city.worker.get(Positions).move(hashSecret(secret).toString('hex'), SHENZHEN);
  const [batch] = await city.source.query<{ id: number }[]>('SELECT id FROM batches WHERE alert_id = $1 LIMIT 1', [
    alertId,
  ]);
  const ref = city.worker.get(RecipientReferences).encode(batch?.id as number, 0);
  await city.worker.get(Receipts, { strict: false }).record([{ ref, kind: 'opened' }]);
  await city.worker.get(BatchSender).reclaim();
  await city.worker.get(LedgerOverview).read();
  await city.worker.get(Gaps).hold();
  await city.worker.get(Outbox).flush();
}

/** As if none but the big ones had ever been analysed. */
async function forgetSmallTables(on: EntityManager): Promise<void> {
  const small = `SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL ($1)`;
  await on.query(`DELETE FROM pg_statistic WHERE starelid IN (${small})`, [BIG]);
  await on.query(`UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid IN (${small})`, [BIG]);
}

/** The plan for its values and, of a prepared statement, the one that is kept for all. */
async function planOf(asked: Statement, on: EntityManager, more = ''): Promise<Node[]> {
  const own = await explained(`EXPLAIN (FORMAT JSON${more}) ${asked.sql}`, on, asked.parameters);
  return asked.name === undefined ? own : [...own, ...(await keptPlanOf(asked, on))];
}

function keptPlanOf({ sql, parameters }: Statement, on: EntityManager): Promise<Node[]> {
  return on.transaction(async (tx) => {
    await tx.query('SET LOCAL plan_cache_mode = force_generic_plan');
    await tx.query(`PREPARE kept AS ${sql}`);
    const nodes = await explained(
      `EXPLAIN (FORMAT JSON) EXECUTE kept (${parameters.map(() => 'NULL').join(', ')})`,
      tx,
    );
    await tx.query('DEALLOCATE kept');
    return nodes;
  });
}

async function explained(explain: string, on: EntityManager, parameters: readonly unknown[] = []): Promise<Node[]> {
  const [row] = await on.query<[{ 'QUERY PLAN': [{ Plan: Node }] }]>(explain, [...parameters]);
  return [...nodesOf(row['QUERY PLAN'][0].Plan)];
}

function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const below of node.Plans ?? []) yield* nodesOf(below);
}

/** The big tables that a statement reads through. */
async function readThrough(asked: Statement, on: EntityManager): Promise<string[]> {
  const nodes = await planOf(asked, on);
  const through = nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'] ?? '');
  return through.filter((table) => BIG.includes(table));
}
