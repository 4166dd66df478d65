import { createHash } from 'node:crypto';
import { Client } from 'pg';
import type { ImportedDevice } from '#audience';
import { cellOf, coarsen } from '#geo';

/** Rows of one statement. */
const PIECE = 20_000;

/** The secret of the world's n-th device, as the app would hold it. */
export function secretOf(n: number): string {
  return createHash('sha256').update(`bench device ${n}`).digest('base64url');
}

/**
 * Fills a migrated database with devices, the heap of positions in the order of their cells: as after {@link DeviceImport} or a
 * reordering. The n-th device has the id n + 1 and the secret {@link secretOf}.
 */
export async function storeDevices(
  databaseUrl: string,
  devices: Iterable<ImportedDevice>,
  progress: (stored: number) => void = () => undefined,
): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const stored = await stage(client, devices, progress);
    // Made once over all rows instead of being grown, or looked into, by each.
    const keys = await droppable(client);
    await client.query(`
      INSERT INTO devices (id, secret_hash, provider, platform, token, language) OVERRIDING SYSTEM VALUE
      SELECT id, secret_hash, 'fcm', platform, token, language FROM staged ORDER BY id`);
    await client.query(`
      INSERT INTO positions (device_id, provider, cell, lon, lat, seen_at, opted_out, muted_until)
      SELECT id, 'fcm', cell, lon, lat, now(), opted_out, muted_until FROM staged ORDER BY cell`);
    for (const key of keys) await client.query(key);
    await client.query(`SELECT setval(pg_get_serial_sequence('devices', 'id'), ${stored})`);
    await client.query('DROP TABLE staged');
    await client.query('VACUUM (ANALYZE) devices, positions');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

/** @returns how many */
async function stage(
  client: Client,
  devices: Iterable<ImportedDevice>,
  progress: (stored: number) => void,
): Promise<number> {
  await client.query(`
    CREATE UNLOGGED TABLE staged (id bigint, secret_hash bytea, platform text, token text, language text, cell bigint,
      lon float8, lat float8, opted_out text[], muted_until timestamptz)`);
  let n = 0;
  let piece: unknown[][] = [];
  const store = async () => {
    const column = (place: number) => piece.map((row) => row[place]);
    await client.query(
      `INSERT INTO staged SELECT id, sha256(convert_to(secret, 'UTF8')), platform, token, language, cell, lon, lat,
         string_to_array(opted_out, ','), muted_until
       FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::float8[], $8::float8[],
         $9::text[], $10::timestamptz[])
         AS g (id, secret, platform, token, language, cell, lon, lat, opted_out, muted_until)`,
      Array.from({ length: 10 }, (_, place) => column(place)),
    );
    piece = [];
    progress(n);
  };
  for (const { platform, token, language, place, preferences } of devices) {
    const [lon, lat] = coarsen(place);
    const wishes = [preferences?.optedOut.join(',') ?? null, preferences?.mutedUntil ?? null];
    piece.push([n + 1, secretOf(n), platform, token, language, cellOf([lon, lat]), lon, lat, ...wishes]);
    n++;
    if (piece.length === PIECE) await store();
  }
  if (piece.length > 0) await store();
  return n;
}

/** Drops keys and indexes. @returns the statements that make them again, what is referenced before what refers to it */
async function droppable(client: Client): Promise<string[]> {
  const keys = await client.query<{ drop: string; make: string }>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) AS drop,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS make
     FROM pg_constraint c WHERE c.conrelid IN (${TABLES}) AND c.contype IN ('f', 'u', 'p')
     ORDER BY c.contype <> 'f'`,
  );
  for (const { drop } of keys.rows) await client.query(drop);
  const indexes = await client.query<{ drop: string; make: string }>(
    `SELECT format('DROP INDEX %s', indexrelid::regclass) AS drop, pg_get_indexdef(indexrelid) AS make
     FROM pg_index WHERE indrelid IN (${TABLES})`,
  );
  for (const { drop } of indexes.rows) await client.query(drop);
  return [...indexes.rows, ...keys.rows.toReversed()].map(({ make }) => make);
}

const TABLES = `'devices'::regclass, 'positions'::regclass`;
