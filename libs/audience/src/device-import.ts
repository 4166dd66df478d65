import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { cellOf, coarsen, type LonLat } from '#geo';
import type { Preferences, Registration } from './device.types.ts';

/** Rows of one statement: large enough to be quick, small enough to show progress. */
const CHUNK = 20_000;

export interface ImportedDevice extends Registration {
  readonly place: LonLat;
  readonly preferences?: Pick<Preferences, 'optedOut' | 'mutedUntil'>;
}

/**
 * Registers many devices at once, in the order of their cells so that neighbours share pages. Nobody learns their secrets: for
 * populations that are made, not for apps.
 */
@Injectable()
export class DeviceImport {
  constructor(private readonly dataSource: DataSource) {}

  /** @param progress called with how many are stored so far */
  async run(devices: readonly ImportedDevice[], progress: (stored: number) => void = () => undefined): Promise<void> {
    const placed = devices.map((device) => {
      const [lon, lat] = coarsen(device.place);
      return { ...device, lon, lat, cell: cellOf([lon, lat]) };
    });
    placed.sort((a, b) => (a.cell < b.cell ? -1 : a.cell > b.cell ? 1 : 0));
    for (let from = 0; from < placed.length; from += CHUNK) {
      await this.insert(placed.slice(from, from + CHUNK));
      progress(Math.min(from + CHUNK, placed.length));
    }
    await this.dataSource.query('VACUUM (ANALYZE) devices, positions');
  }

  private async insert(chunk: readonly (ImportedDevice & { lon: number; lat: number; cell: bigint })[]): Promise<void> {
    await this.dataSource.query(
      `WITH given AS (
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::float8[],
           $8::text[], $9::timestamptz[]) AS g(provider, platform, token, language, cell, lon, lat, opted_out, muted_until)
       ), device AS (
         INSERT INTO devices (secret_hash, provider, platform, token, language)
         SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), provider, platform, token, language
         FROM given RETURNING id, token
       )
       INSERT INTO positions (device_id, cell, lon, lat, seen_at, opted_out, muted_until)
       SELECT id, cell, lon, lat, now(), string_to_array(opted_out, ','), muted_until
       FROM given JOIN device USING (token) ORDER BY cell`,
      [
        chunk.map((device) => device.provider),
        chunk.map((device) => device.platform),
        chunk.map((device) => device.token),
        chunk.map((device) => device.language),
        chunk.map((device) => device.cell),
        chunk.map((device) => device.lon),
        chunk.map((device) => device.lat),
        chunk.map((device) => device.preferences?.optedOut.join(',') ?? null),
        chunk.map((device) => device.preferences?.mutedUntil ?? null),
      ],
    );
  }
}
