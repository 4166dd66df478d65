import type { LonLat } from '#geo';
import { type Call, positionCall } from '../chaos/herd.ts';
import type { LedgerReader } from '../chaos/ledger.ts';
import { TOWN } from '../chaos/population.ts';

/** A phone that lives outside all areas, and moves into each while its alert is live. */
export interface Settler {
  readonly id: number;
  readonly token: string;
  readonly home: LonLat;
}

const SETTLERS = 40;

interface Row {
  readonly id: number;
  readonly token: string;
  readonly lon: number;
  readonly lat: number;
}

/** The farthest of those who want alerts. */
export async function settlersOf(ledger: LedgerReader): Promise<readonly Settler[]> {
  const rows = await ledger.query<Row>(
    `SELECT p.device_id::int AS id, d.token, p.lon, p.lat FROM positions p JOIN devices d ON d.id = p.device_id
     WHERE NOT 'critical' = ANY (coalesce(opted_out, '{}')) AND muted_until IS NULL
     ORDER BY ST_Distance(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography) DESC LIMIT $3`,
    [...TOWN, SETTLERS],
  );
  return rows.map(({ id, token, lon, lat }) => ({ id, token, home: [lon, lat] }));
}

/** What all others say again and again: where they are. */
export async function placesOf(ledger: LedgerReader, but: readonly Settler[]): Promise<readonly Call[]> {
  const rows = await ledger.query<Row>(
    'SELECT device_id::int AS id, lon, lat FROM positions WHERE NOT device_id = ANY ($1) ORDER BY md5(device_id::text)',
    [but.map(({ id }) => id)],
  );
  return rows.map(({ id, lon, lat }) => positionCall(id, [lon, lat]));
}
