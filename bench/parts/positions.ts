import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { coarsen, type LonLat } from '#geo';
import { secretOf } from '../../test/harness/stored-devices.ts';
import { startApi } from '../api.ts';
import { type Answered, compare } from '../herd.ts';
import type { Bench, Part } from '../part.ts';
import { fill } from '../world.ts';

/** Devices that move. */
const DEVICES = { tiny: 20_000, small: 100_000, full: 1_000_000 } as const;

/** Of them, those that may move in one run: more than any contender stores. */
const MOVED = { tiny: 20_000, small: 60_000, full: 200_000 } as const;

/** Degrees to either side of where a phone was at first: within a bus ride. */
const REACH = 0.03;

/** `PUT /v1/devices/me/position`: durable, and the device proved, when it is answered. */
export const positions: Part = {
  name: 'positions',
  run: async (bench) => {
    const databaseUrl = await bench.database('positions');
    const world = await fill(databaseUrl, DEVICES[bench.size]);
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      const homes = await homesOf(client);
      return await compare(bench, {
        name: 'positions',
        what: `position updates over HTTP, ${world.devices.toLocaleString('en')} devices`,
        method: 'PUT',
        path: '/v1/devices/me/position',
        servers: {
          ours: await startApi(bench, databaseUrl),
          save: await peer(bench, 'save', databaseUrl),
          bare: await peer(bench, 'bare', databaseUrl),
        },
        prepare: (run, share) => prepare(join(bench.dir, 'positions.tsv'), homes, share * MOVED[bench.size], run),
        check: (answered) => check(client, homes, answered),
      });
    } finally {
      await client.end();
    }
  },
};

const peer = (bench: Bench, kind: string, databaseUrl: string) =>
  bench.deployment().start<{
    url: string;
  }>(`positions-${kind}`, 'bench/herd-peers/positions.ts', { DATABASE_URL: databaseUrl }, [kind]);

/** By the device's number in the world. */
async function homesOf(client: Client): Promise<LonLat[]> {
  const { rows } = await client.query<{ lon: number; lat: number }>(
    'SELECT lon, lat FROM positions ORDER BY device_id',
  );
  return rows.map(({ lon, lat }) => [lon, lat]);
}

/** Where the n-th device goes in a run: another place each time, so that every contender moves it between cells. */
function placeOf(home: LonLat, n: number, run: number): LonLat {
  const turn = (n * 2.399963 + run * 0.7) % (2 * Math.PI);
  return [home[0] + REACH * Math.cos(turn), home[1] + REACH * Math.sin(turn)];
}

/** Each device at most once, in an order that scatters them. */
async function prepare(
  file: string,
  homes: readonly LonLat[],
  count: number,
  run: number,
): Promise<{ file: string; lines: number }> {
  const lines = Array.from({ length: count }, (_, line) => {
    const n = deviceOf(line, homes.length);
    const [lon, lat] = placeOf(homes[n] as LonLat, n, run);
    return `Bearer g72d_${secretOf(n)}\t${JSON.stringify({ place: { lon, lat, datum: 'wgs84' } })}`;
  });
  await writeFile(file, lines.join('\n'));
  return { file, lines: lines.length };
}

const SCATTER = 7_919;

const deviceOf = (line: number, devices: number) => (line * SCATTER) % devices;

/** @returns how many answered requests are not what the database holds */
async function check(client: Client, homes: readonly LonLat[], { run, lines }: Answered): Promise<number> {
  const told = lines.map((line) => {
    const n = deviceOf(line, homes.length);
    return { id: n + 1, place: coarsen(placeOf(homes[n] as LonLat, n, run)) };
  });
  const { rows } = await client.query<{ lost: number }>(
    `SELECT count(*)::int AS lost FROM unnest($1::bigint[], $2::float8[], $3::float8[]) AS told (id, lon, lat)
     WHERE NOT EXISTS (SELECT FROM positions p WHERE p.device_id = told.id AND p.lon = told.lon AND p.lat = told.lat)`,
    [told.map(({ id }) => id), told.map(({ place }) => place[0]), told.map(({ place }) => place[1])],
  );
  return rows[0]?.lost ?? lines.length;
}
