import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { type AudienceQuery, audienceStatement } from '#audience';
import { RING_M, WaveRepository } from '#dispatch';
import { databaseOptions, type Env } from '#platform';
import { churn, POSITIONS, settle } from '../churn.ts';
import type { Bench, Findings, Part, Row } from '../part.ts';
import { alternate, ratioOf, type Sample } from '../rounds.ts';
import type { World } from '../world.ts';

const TARGET = { rows: 5, bytes: 8 };
/** More than one alert: no device is withheld for it. */
const DAILY_CAP = 5;

/** The audience of 120 km stored nearest first, ready to send: the product's batches against a row for each recipient. */
export const wave: Part = { name: 'wave', run };

async function run(bench: Bench): Promise<Findings> {
  const world = await bench.world();
  const client = new Client({ connectionString: world.databaseUrl });
  const source = new DataSource(databaseOptions({ DATABASE_URL: world.databaseUrl, DATABASE_POOL: 2 } as Env, 'bench'));
  const agencyId = randomUUID();
  await client.connect();
  await source.initialize();
  try {
    const moved = await churn(client, [POSITIONS]);
    await client.query(ROWS);
    return await measure(bench, { client, source, world, agencyId, moved });
  } finally {
    await client.query('DROP TABLE IF EXISTS peer_recipients');
    await client.query('DELETE FROM alerts WHERE agency_id = $1', [agencyId]);
    await client.query('DELETE FROM agencies WHERE id = $1', [agencyId]);
    await settle(client, ['positions']);
    await source.destroy();
    await client.end();
  }
}

/**
 * What a row for each recipient needs at the least: a key that keeps a phone from being asked twice, an index that gives the next ones
 * to send, nearest first, and the reference to its wave that a batch has too, so that it is forgotten with it.
 */
const ROWS = `
  CREATE TABLE peer_recipients (
    wave_id bigint NOT NULL REFERENCES waves ON DELETE CASCADE,
    device_id bigint NOT NULL,
    band smallint NOT NULL,
    state "char" NOT NULL DEFAULT '.',
    attempt smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (wave_id, device_id)
  );
  CREATE INDEX ON peer_recipients (wave_id, band) WHERE state = '.'`;

/** Heap, TOAST and every index of the tables $1; not the maps of free space, which are as large for a table of one row. */
const BYTES = `
  WITH heap AS (
    SELECT c.oid, c.reltoastrelid FROM pg_class c WHERE c.oid = ANY ($1::text[]::regclass[])
  ), stored AS (
    SELECT oid FROM heap UNION ALL SELECT reltoastrelid FROM heap
  )
  SELECT sum(pg_relation_size(oid) + pg_indexes_size(oid)) AS bytes FROM stored WHERE oid <> 0`;

interface Setting {
  readonly client: Client;
  readonly source: DataSource;
  readonly world: World;
  /** Whose alerts are asked for. */
  readonly agencyId: string;
  /** Share of the devices that moved since the last vacuum. */
  readonly moved: number;
}

async function measure(bench: Bench, { client, source, world, agencyId, moved }: Setting): Promise<Findings> {
  const { center } = world.city;
  const query = (): AudienceQuery => ({
    area: { kind: 'circle', center, radiusM: RING_M },
    origin: center,
    tier: 'critical',
    at: new Date(),
  });
  const waves = new WaveRepository();
  let targeted = 0;

  const clear = async () => {
    await client.query('TRUNCATE batches, batch_recipients, peer_recipients, waves CASCADE');
    return seedAlert(source, agencyId);
  };
  const batches = async () => {
    const alert = await clear();
    const began = performance.now();
    await source.transaction(async (tx) => {
      const waveId = await waves.insert(tx, { ...alert, audience: 'ring' });
      const asked = await waves.snapshotRing(tx, waveId, query(), DAILY_CAP, null);
      targeted = asked.targeted;
    });
    return performance.now() - began;
  };
  const rows = async () => {
    const alert = await clear();
    const { sql, parameters } = await audienceStatement(query());
    const own = `$${parameters.length + 1}`;
    const began = performance.now();
    await source.transaction(async (tx) => {
      const waveId = await waves.insert(tx, { ...alert, audience: 'ring' });
      await tx.query(
        `INSERT INTO peer_recipients (wave_id, device_id, band)
         SELECT ${own}, device_id, band FROM (${sql}) audience WHERE withheld IS NULL`,
        [...parameters, waveId],
      );
    });
    return performance.now() - began;
  };

  const samples = await alternate({ batches, rows }, { rounds: 2 * bench.rounds + 1, warmUp: 1, stop: bench.stop });
  const bytesOf = async (...tables: string[]) => {
    const { rows: found } = await client.query<{ bytes: string }>(BYTES, [tables]);
    return Number(found[0]?.bytes) / targeted;
  };
  await rows();
  const bytesEach = await bytesOf('peer_recipients');
  await batches();
  const [bytesPerRecipient, bytesOfIds] = [
    await bytesOf('batches', 'batch_recipients'),
    await bytesOf('batch_recipients'),
  ];
  const vsRows = ratioOf(samples.rows, samples.batches);
  const what = `wave: ${targeted.toLocaleString('en')} recipients stored nearest first, after ${(moved * 100).toFixed(1)} % moved`;
  const room = 'wave: bytes a recipient, with every index';
  const timed = (contender: string, sample: Sample, more: Partial<Row> = {}): Row => ({
    what,
    contender,
    measured: `${sample.median.toFixed(0)} ms`,
    spread: `${sample.lowest.toFixed(0)} – ${sample.highest.toFixed(0)} ms`,
    ...more,
  });
  return {
    rows: [
      timed('Golden72: batches', samples.batches),
      timed('a row each, by the same statement', samples.rows, {
        ratio: `${vsRows.toFixed(1)}× (≥ ${TARGET.rows}×)`,
        reached: vsRows >= TARGET.rows,
      }),
      {
        what: room,
        contender: 'Golden72: batches',
        measured: `${bytesPerRecipient.toFixed(1)} B`,
        ratio: `(≤ ${TARGET.bytes} B)`,
        reached: bytesPerRecipient <= TARGET.bytes,
      },
      { what: room, contender: '… their ids alone', measured: `${bytesOfIds.toFixed(1)} B` },
      { what: room, contender: 'a row each', measured: `${bytesEach.toFixed(1)} B` },
    ],
    figures: { wave: { vsRows: round(vsRows), bytesPerRecipient: round(bytesPerRecipient) } },
  };
}

/** A live alert and its message, without a case: what a wave names. */
async function seedAlert(
  source: DataSource,
  agencyId: string,
): Promise<{ readonly alertId: string; readonly messageId: string }> {
  const [alertId, messageId] = [randomUUID(), randomUUID()];
  await source.query(
    `INSERT INTO agencies (id, name, jurisdiction, zone, call_number)
     VALUES ($1::uuid, $1::uuid::text, ST_Multi(ST_MakeEnvelope(73, 18, 135, 54, 4326)), 'Asia/Shanghai', '110') ON CONFLICT DO NOTHING`,
    [agencyId],
  );
  await source.query(
    `INSERT INTO alerts (id, slug, agency_id, state, mode, tier, area, origin, zone, place, call_number, instruction, hours,
       released_at, expires_at)
     VALUES ($1::uuid, $1::uuid::text, $2, 'live', 'demo', 'critical', '{}', 'POINT(0 0)', 'Asia/Shanghai', '{}', '110', 'call', 24,
       now(), now() + interval '1 day')`,
    [alertId, agencyId],
  );
  await source.query(`INSERT INTO messages (id, alert_id, version, kind, texts) VALUES ($1, $2, 1, 'alert', '{}')`, [
    messageId,
    alertId,
  ]);
  return { alertId, messageId };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
