import type { Client } from 'pg';

/** What share of the devices move. A little over the 2 % that a claim 'after 2 %' needs, for the sample's own chance. */
const MOVED_PERCENT = 2.2;

/** A table that holds the positions, and how one of its rows moves to the place `move (device_id, cell, lon, lat)`. */
export interface Moving {
  readonly table: string;
  readonly move: string;
}

export const POSITIONS: Moving = { table: 'positions', move: 'cell = move.cell, lon = move.lon, lat = move.lat' };

/**
 * Vacuums the tables, keeps autovacuum from them, and moves the same {@link MOVED_PERCENT} of their devices, drawn at random, each to
 * the place of another one drawn at random: anywhere in the world, so that the order of the heap decays as fast as it can.
 * @param among a condition under which a device may take another's place, of `mover` and `place`: two rows of positions
 * @returns the share that moved
 */
export async function churn(client: Client, tables: readonly Moving[], among = 'true'): Promise<number> {
  for (const { table } of tables) {
    await client.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
    await client.query(`VACUUM (ANALYZE) ${table}`);
  }
  const drawn = (side: string) => `
    (SELECT *, row_number() OVER (PARTITION BY ${among} ORDER BY random()) AS n, ${among} AS side
     FROM positions TABLESAMPLE BERNOULLI (${MOVED_PERCENT})) ${side}`;
  await client.query('DROP TABLE IF EXISTS pg_temp.moves');
  await client.query(`
    CREATE TEMP TABLE moves AS SELECT mover.device_id, place.cell, place.lon, place.lat
    FROM ${drawn('mover')} JOIN ${drawn('place')} USING (n, side)`);
  await client.query('ANALYZE moves');
  for (const { table, move } of tables) {
    await client.query(
      `UPDATE ${table} SET ${move}, seen_at = now() FROM moves move WHERE move.device_id = ${table}.device_id`,
    );
  }
  await client.query('CHECKPOINT');
  const { rows } = await client.query<{ share: number }>(
    `SELECT (SELECT count(*) FROM moves)::float8 / (SELECT count(*) FROM positions) AS share`,
  );
  return rows[0]?.share ?? 0;
}

/** Autovacuum may look after the tables again. */
export async function settle(client: Client, tables: readonly string[]): Promise<void> {
  for (const table of tables) await client.query(`ALTER TABLE ${table} RESET (autovacuum_enabled)`);
}
