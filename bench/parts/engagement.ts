import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { RecipientReferences } from '#dispatch';
import { Keys } from '#platform';
import { SECRET_KEY, startApi } from '../api.ts';
import { compare, CONNECTIONS } from '../herd.ts';
import type { Bench, Part } from '../part.ts';

/** Batches whose recipients may answer in one run: more than any contender stores. */
const BATCHES = { tiny: 40, small: 120, full: 400 } as const;

const BATCH = 500;

/** `POST /v1/receipts`, one receipt or open a request: the worst case, as phones send them right after a push. */
export const engagement: Part = {
  name: 'engagement',
  run: async (bench) => {
    const databaseUrl = await bench.database('engagement');
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      const wave = await release(client);
      const references = new RecipientReferences(new Keys({ SECRET_KEY }));
      const told = new Map<number, readonly Receipt[]>();
      return await compare(bench, {
        name: 'engagement',
        what: 'receipts and opens over HTTP, one a request',
        method: 'POST',
        path: '/v1/receipts',
        servers: {
          ours: await startApi(bench, databaseUrl),
          save: await peer(bench, 'save', databaseUrl),
          bare: await peer(bench, 'bare', databaseUrl),
        },
        prepare: async (run, share) => {
          const receipts = receiptsOf(await addBatches(client, wave, share * BATCHES[bench.size]));
          told.set(run, receipts);
          const file = join(bench.dir, 'engagement.tsv');
          const lines = receipts.map(({ batch, index, kind }) => {
            const report = { items: [{ ref: references.encode(batch, index), kind }] };
            return `\t${JSON.stringify(report)}`;
          });
          await writeFile(file, lines.join('\n'));
          return { file, lines: lines.length };
        },
        check: ({ run, lines }) => {
          const receipts = told.get(run) ?? [];
          return countLost(
            client,
            lines.map((line) => receipts[line] as Receipt),
          );
        },
      });
    } finally {
      await client.end();
    }
  },
};

interface Receipt {
  readonly batch: number;
  readonly index: number;
  readonly kind: 'received' | 'opened';
}

interface Wave {
  readonly id: string;
  readonly alertId: string;
}

const peer = (bench: Bench, kind: string, databaseUrl: string) =>
  bench.deployment().start<{
    url: string;
  }>(`engagement-${kind}`, 'bench/herd-peers/receipts.ts', { DATABASE_URL: databaseUrl, SECRET_KEY }, [kind]);

/** A live alert with one wave. */
async function release(client: Client): Promise<Wave> {
  const [agencyId, alertId, messageId] = [randomUUID(), randomUUID(), randomUUID()];
  await client.query(
    `INSERT INTO agencies (id, name, jurisdiction, zone, call_number)
     VALUES ($1, 'Suzhou Police', ST_Multi(ST_MakeEnvelope(119, 30, 122, 33, 4326)), 'Asia/Shanghai', '110')`,
    [agencyId],
  );
  await client.query(
    `INSERT INTO alerts (id, slug, agency_id, state, mode, tier, area, origin, zone, place, call_number, instruction, hours,
       released_at, expires_at)
     VALUES ($1, 'bench', $2, 'live', 'demo', 'critical', '{"kind":"circle","center":[120.6,31.3],"radiusM":120000}',
       'POINT(120.6 31.3)', 'Asia/Shanghai', '{"zh-CN":"苏州市","en":"Suzhou"}', '110', 'call', 24, now(),
       now() + interval '24 hours')`,
    [alertId, agencyId],
  );
  await client.query(`INSERT INTO messages (id, alert_id, version, kind, texts) VALUES ($1, $2, 1, 'alert', '{}')`, [
    messageId,
    alertId,
  ]);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO waves (alert_id, message_id, audience) VALUES ($1, $2, 'ring') RETURNING id`,
    [alertId, messageId],
  );
  return { id: rows[0]?.id ?? '', alertId };
}

/** @returns their ids */
async function addBatches(client: Client, wave: Wave, count: number): Promise<number[]> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO batches (wave_id, alert_id, seq, provider, band, size)
     SELECT $1, $2, (SELECT count(*) FROM batches) + n, 'fcm', 0, $4 FROM generate_series(1, $3::int) AS n RETURNING id`,
    [wave.id, wave.alertId, count, BATCH],
  );
  return rows.map(({ id }) => Number(id));
}

/** One of four opens; one of twenty is what its connection sent before, once more. */
function receiptsOf(batches: readonly number[]): Receipt[] {
  const once = (line: number): Receipt => ({
    batch: batches[line % batches.length] as number,
    index: Math.floor(line / batches.length),
    kind: line % 4 === 3 ? 'opened' : 'received',
  });
  return Array.from({ length: batches.length * BATCH }, (_, line) =>
    once(Math.floor(line / CONNECTIONS) % 20 === 19 ? line - CONNECTIONS : line),
  );
}

async function countLost(client: Client, receipts: readonly Receipt[]): Promise<number> {
  const { rows } = await client.query<{ lost: number }>(
    `SELECT count(*)::int AS lost FROM unnest($1::bigint[], $2::smallint[], $3::text[]) AS told (batch_id, index, kind)
     WHERE (SELECT count(*) FROM receipts r WHERE r.batch_id = told.batch_id AND r.index = told.index
              AND r.kind IN (told.kind, 'received')) < CASE told.kind WHEN 'opened' THEN 2 ELSE 1 END`,
    [receipts.map(({ batch }) => batch), receipts.map(({ index }) => index), receipts.map(({ kind }) => kind)],
  );
  return rows[0]?.lost ?? receipts.length;
}
