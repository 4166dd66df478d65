import { Redis } from 'ioredis';
import { Client } from 'pg';
import { type AudienceQuery, audienceStatement, FRESH_DAYS } from '#audience';
import type { LonLat } from '#geo';
import { churn, POSITIONS, settle } from '../churn.ts';
import { differences, insideByGeodesic } from '../oracle.ts';
import type { Bench, Findings, Part, Row } from '../part.ts';
import { alternate, ratioOf, type Sample } from '../rounds.ts';

const RADIUS_M = 120_000;
/** How many times faster than each peer. */
const TARGET = { gist: 8, redis: 3 };

const PLACE = 'ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography';
const MOVE = 'place = ST_SetSRID(ST_MakePoint(move.lon, move.lat), 4326)::geography';
const GIST = [
  { table: 'peer_gist', order: 'device_id', move: MOVE },
  { table: 'peer_gist_sorted', order: 'cell', move: MOVE },
] as const;
const KEY = 'bench:positions';

/** Who is inside 120 km, exactly: the product's own statement against a geography index and against Redis. */
export const audience: Part = { name: 'audience', run };

async function run(bench: Bench): Promise<Findings> {
  const world = await bench.world();
  const client = new Client({ connectionString: world.databaseUrl, options: '-c jit=off' });
  const redis = new Redis(bench.redisUrl);
  await client.connect();
  const tables = GIST.map(({ table }) => table);
  try {
    bench.say('  the peers: two tables with GiST on geography, and Redis …');
    await Promise.all(GIST.map(({ table, order }) => gistTable(world.databaseUrl, table, order)));
    const moved = await churn(client, [POSITIONS, ...GIST]);
    await redisPoints(client, redis);
    return await measure(bench, { client, redis, center: world.city.center, moved });
  } finally {
    await client.query(`DROP TABLE IF EXISTS ${tables.join(', ')}`);
    await settle(client, ['positions']);
    await client.end();
    await redis.unlink(KEY);
    redis.disconnect();
  }
}

/** What a service without our cells would have: the columns of positions, but a geography in place of cell, lon and lat. */
async function gistTable(databaseUrl: string, table: string, order: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`DROP TABLE IF EXISTS ${table}`);
    await client.query(`
      CREATE TABLE ${table} WITH (fillfactor = 70) AS
      SELECT device_id, provider, ${PLACE} AS place, seen_at, opted_out, muted_until, quiet_from, quiet_until, zone
      FROM positions WHERE cell IS NOT NULL ORDER BY ${order}`);
    await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (device_id)`);
    await client.query(`CREATE INDEX ON ${table} USING gist (place)`);
  } finally {
    await client.end();
  }
}

async function redisPoints(client: Client, redis: Redis): Promise<void> {
  await client.query('BEGIN');
  await client.query(
    'DECLARE points NO SCROLL CURSOR FOR SELECT lon, lat, device_id FROM positions WHERE cell IS NOT NULL',
  );
  for (;;) {
    const { rows } = await client.query<(string | number)[]>({ text: 'FETCH 20000 FROM points', rowMode: 'array' });
    if (rows.length === 0) break;
    await redis.call('GEOADD', KEY, ...rows.flat());
  }
  await client.query('COMMIT');
}

interface Peers {
  readonly client: Client;
  readonly redis: Redis;
  readonly center: LonLat;
  /** Share of the devices that moved since the last vacuum. */
  readonly moved: number;
}

async function measure(bench: Bench, { client, redis, center, moved }: Peers): Promise<Findings> {
  const freshSince = new Date(Date.now() - FRESH_DAYS * 86_400_000);
  const ours = (): AudienceQuery => ({
    area: { kind: 'circle', center, radiusM: RADIUS_M },
    origin: center,
    tier: 'critical',
    at: new Date(),
  });
  // Both sides gather the ids in an array in the database, where a snapshot takes them on.
  const timed = async (work: () => Promise<unknown>) => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const product = (select: (sql: string) => string) => () =>
    timed(async () => {
      const { sql, parameters } = await audienceStatement(ours());
      return client.query(select(sql), [...parameters]);
    });
  const gist = (table: string) => () =>
    timed(() =>
      client.query(`SELECT cardinality(array_agg(device_id)) FROM ${table} WHERE ${WITHIN}`, [
        ...center,
        RADIUS_M,
        freshSince,
      ]),
    );
  const alone = (work: () => Promise<number>) => async () => {
    await client.query('SET max_parallel_workers_per_gather = 0');
    const took = await work();
    await client.query('RESET max_parallel_workers_per_gather');
    return took;
  };
  const search = () =>
    redis.call('GEOSEARCH', KEY, 'FROMLONLAT', ...center, 'BYRADIUS', RADIUS_M, 'm') as Promise<string[]>;

  const mismatches = await compare(bench, client, center, freshSince, await search(), ours());
  const samples = await alternate(
    {
      ids: product((sql) => `SELECT cardinality(array_agg(device_id)) FROM (${sql}) audience`),
      whole: product(
        (sql) => `
          SELECT sum(cardinality(ids)), sum(cardinality(reasons)) FROM (
            SELECT array_agg(device_id) FILTER (WHERE withheld IS NULL) AS ids,
              array_agg(withheld) FILTER (WHERE withheld IS NOT NULL) AS reasons
            FROM (${sql} OFFSET 0) audience GROUP BY provider, band
          ) banded`,
      ),
      gist: gist(GIST[0].table),
      gistAlone: alone(gist(GIST[0].table)),
      gistSorted: gist(GIST[1].table),
      redis: () => timed(search),
    },
    { rounds: 2 * bench.rounds + 1, warmUp: 2, stop: bench.stop },
  );
  const against = (peer: Sample) => ratioOf(peer, samples.ids);
  const [vsGist, vsRedis] = [against(samples.gist), against(samples.redis)];
  const what = `audience: ${mismatches.inside.toLocaleString('en')} of ${bench.devices.toLocaleString('en')} inside 120 km, after ${(moved * 100).toFixed(1)} % moved`;
  const row = (contender: string, sample: Sample, more: Partial<Row> = {}): Row => ({
    what,
    contender,
    measured: ms(sample.median),
    spread: `${ms(sample.lowest)} – ${ms(sample.highest)}`,
    ...more,
  });
  const judged = (ratio: number, target: number) => ({
    ratio: `${ratio.toFixed(1)}× (≥ ${target}×)`,
    reached: ratio >= target,
  });
  const exact = (found: number): Partial<Row> => ({ measured: String(found), reached: found === 0 });
  const wrong = 'audience: devices wrongly in or out, by GeographicLib';
  return {
    rows: [
      row('Golden72: ids, cover included', samples.ids),
      row('… by band, with why some are withheld', samples.whole),
      row('PostGIS GiST, rows as registered', samples.gist, judged(vsGist, TARGET.gist)),
      row('… in one process, as ours', samples.gistAlone, { ratio: `${against(samples.gistAlone).toFixed(1)}×` }),
      row('… rows in cell order, as ours', samples.gistSorted, { ratio: `${against(samples.gistSorted).toFixed(1)}×` }),
      row('Redis GEOSEARCH, ids to the client, no freshness', samples.redis, judged(vsRedis, TARGET.redis)),
      { what: wrong, contender: 'Golden72', ...exact(mismatches.ours) } as Row,
      { what: wrong, contender: 'PostGIS GiST', measured: String(mismatches.gist) },
      { what: wrong, contender: 'Redis GEOSEARCH (a sphere)', measured: String(mismatches.redis) },
    ],
    figures: { audience: { vsGist: round(vsGist), vsRedis: round(vsRedis), mismatches: mismatches.ours } },
  };
}

const WITHIN = 'ST_DWithin(place, ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography, $3) AND seen_at > $4';

async function compare(
  bench: Bench,
  client: Client,
  center: LonLat,
  freshSince: Date,
  found: readonly string[],
  query: AudienceQuery,
) {
  bench.say('  every point near the circle, by GeographicLib …');
  const expected = await insideByGeodesic(client, center, RADIUS_M, freshSince);
  const idsOf = async (text: string, values: readonly unknown[]) => {
    const { rows } = await client.query<[string]>({ text, values: [...values], rowMode: 'array' });
    // Twice in the audience is asked twice: a set must not hide it.
    if (new Set(rows.map(([id]) => id)).size !== rows.length) throw new Error('a device is in an audience twice');
    return new Set(rows.map(([id]) => Number(id)));
  };
  const { sql, parameters } = await audienceStatement(query);
  const ours = await idsOf(`SELECT device_id FROM (${sql}) audience`, parameters);
  const gist = await idsOf(`SELECT device_id FROM ${GIST[0].table} WHERE ${WITHIN}`, [...center, RADIUS_M, freshSince]);
  return {
    inside: expected.size,
    ours: differences(ours, expected),
    gist: differences(gist, expected),
    redis: differences(new Set(found.map(Number)), expected),
  };
}

function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
