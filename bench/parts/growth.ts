import { Client } from 'pg';
import { audienceStatement, FRESH_DAYS } from '#audience';
import type { LonLat } from '#geo';
import { churn, POSITIONS } from '../churn.ts';
import { insideByGeodesic } from '../oracle.ts';
import type { Bench, Findings, Part } from '../part.ts';
import { alternate, ratioOf } from '../rounds.ts';

const RADIUS_M = 120_000;
/** Farther than any cell on the circle's edge reaches: who is outside in such a cell is looked at one by one. */
const AROUND_M = 132_000;
/** Of the world's devices in the small table, and of those inside the circle and around it in both. */
const ONE_IN = 10;
/** Noise between two runs of one and the same table reaches a quarter of a thin audience's time. */
const TARGET = 1.25;

const CIRCLES = { inside: RADIUS_M, around: AROUND_M };

const TABLES = ['growth_small', 'growth_big'] as const;
type Schema = (typeof TABLES)[number];

/**
 * The same audience out of a table and out of one ten times its size. The small table holds every tenth device of the world; the big
 * one holds every tenth of those inside the circle and around it and all others. So both have the same audience to the device, and as
 * many near misses: the density of a place does not grow with the country.
 */
export const growth: Part = { name: 'growth', onlyFull: true, run };

async function run(bench: Bench): Promise<Findings> {
  const { databaseUrl, city } = await bench.world();
  const client = new Client({ connectionString: databaseUrl, options: '-c jit=off' });
  await client.connect();
  const use = (schema: Schema) => client.query(`SET search_path = ${schema}, public`);
  try {
    bench.say('  the same audience in two tables …');
    // A million ids are hashed once in this much; in the default 4 MB they would be gone through anew for every device.
    await client.query("SET work_mem = '256MB'");
    for (const [table, radiusM] of Object.entries(CIRCLES)) await keepInside(client, table, city.center, radiusM);
    const thin = `device_id % ${ONE_IN} = 0`;
    const sizes = {
      growth_small: await fill(client, 'growth_small', thin),
      growth_big: await fill(client, 'growth_big', `(${thin} OR device_id NOT IN (SELECT device_id FROM around))`),
    };
    for (const schema of TABLES) {
      await use(schema);
      // Nobody crosses the circle, or the audiences would differ.
      await churn(client, [POSITIONS], 'device_id IN (SELECT device_id FROM inside)');
    }
    await client.query('RESET work_mem');
    const counts = new Map<Schema, number>();
    const take = (schema: Schema) => async () => {
      await use(schema);
      const began = performance.now();
      const { sql, parameters } = await audienceStatement({
        area: { kind: 'circle', center: city.center, radiusM: RADIUS_M },
        origin: city.center,
        tier: 'critical',
        at: new Date(),
      });
      const { rows } = await client.query<{ n: number }>(
        `SELECT cardinality(array_agg(device_id)) AS n FROM (${sql}) audience`,
        [...parameters],
      );
      const took = performance.now() - began;
      counts.set(schema, rows[0]?.n ?? 0);
      return took;
    };
    const samples = await alternate(
      { small: take('growth_small'), big: take('growth_big') },
      { rounds: 12 * bench.rounds + 1, warmUp: 2, stop: bench.stop },
    );
    if (counts.get('growth_small') !== counts.get('growth_big')) throw new Error('the audiences are not the same');
    const ratio = ratioOf(samples.big, samples.small);
    const what = `growth: the same ${counts.get('growth_big')?.toLocaleString('en')} devices`;
    const row = (devices: number, { median, lowest, highest }: (typeof samples)['big']) => ({
      what,
      contender: `out of ${devices.toLocaleString('en')}`,
      measured: `${median.toFixed(1)} ms`,
      spread: `${lowest.toFixed(1)} – ${highest.toFixed(1)} ms`,
    });
    return {
      rows: [
        row(sizes.growth_small, samples.small),
        {
          ...row(sizes.growth_big, samples.big),
          ratio: `${ratio.toFixed(2)}× its time (≤ ${TARGET}×)`,
          reached: ratio <= TARGET,
        },
      ],
      figures: { growth: { ratio: Math.round(ratio * 100) / 100 } },
    };
  } finally {
    await client.query(`DROP SCHEMA IF EXISTS ${TABLES.join(', ')} CASCADE`);
    await client.end();
  }
}

/** Makes a table of the ids within so many metres. */
async function keepInside(client: Client, table: string, center: LonLat, radiusM: number): Promise<void> {
  const ids = await insideByGeodesic(client, center, radiusM, new Date(Date.now() - FRESH_DAYS * 86_400_000));
  await client.query(`CREATE TEMP TABLE ${table} (device_id bigint PRIMARY KEY)`);
  await client.query(`INSERT INTO ${table} SELECT unnest($1::bigint[])`, [[...ids]]);
  await client.query(`ANALYZE ${table}`);
}

/** @returns how many devices it holds */
async function fill(client: Client, schema: Schema, condition: string): Promise<number> {
  await client.query(`CREATE SCHEMA ${schema}`);
  const { rowCount } = await client.query(
    `CREATE TABLE ${schema}.positions WITH (fillfactor = 70) AS
     SELECT * FROM public.positions WHERE cell IS NOT NULL AND ${condition} ORDER BY cell`,
  );
  await client.query(`CREATE INDEX ON ${schema}.positions (cell)`);
  return rowCount ?? 0;
}
