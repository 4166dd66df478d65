import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { prepared } from '#platform';
import type { ImportedPreferences, Preferences, PushTarget, Registration } from './device.types.ts';
import type { StoredPosition } from './position.repository.ts';

export type PlacedRegistration = Registration & StoredPosition & { readonly preferences?: ImportedPreferences };

@Injectable()
export class DeviceRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** An installation that registers its token again replaces its older row, or the phone would be asked twice. */
  insert(device: Registration, secretHash: Buffer): Promise<void> {
    return this.dataSource.transaction(async (tx) => {
      await this.takeToken(tx, device.provider, device.token, null);
      await tx.query(
        `WITH device AS (
           INSERT INTO devices (secret_hash, provider, platform, token, language) VALUES ($1, $2, $3, $4, $5)
           RETURNING id, provider
         ) INSERT INTO positions (device_id, provider) SELECT id, provider FROM device`,
        [secretHash, device.provider, device.platform, device.token, device.language],
      );
    });
  }

  /** Registers devices that are placed already; nobody is told their secrets. Written in the order given. */
  async insertPlaced(devices: readonly PlacedRegistration[]): Promise<void> {
    await this.dataSource.query(
      `WITH given AS (
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::float8[], $7::float8[],
           $8::text[], $9::timestamptz[])
           WITH ORDINALITY AS g(provider, platform, token, language, cell, lon, lat, opted_out, muted_until, place)
       ), device AS (
         INSERT INTO devices (secret_hash, provider, platform, token, language)
         SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), provider, platform, token, language
         FROM given RETURNING id, token
       )
       INSERT INTO positions (device_id, provider, cell, lon, lat, seen_at, opted_out, muted_until)
       SELECT id, provider, cell, lon, lat, now(), string_to_array(opted_out, ','), muted_until
       FROM given JOIN device USING (token) ORDER BY place`,
      [
        devices.map((device) => device.provider),
        devices.map((device) => device.platform),
        devices.map((device) => device.token),
        devices.map((device) => device.language),
        devices.map((device) => device.cell),
        devices.map((device) => device.lon),
        devices.map((device) => device.lat),
        devices.map((device) => device.preferences?.optedOut.join(',') ?? null),
        devices.map((device) => device.preferences?.mutedUntil ?? null),
      ],
    );
  }

  /** For the planner, and for index-only scans, after many rows have come at once. */
  async analyze(): Promise<void> {
    await this.dataSource.query('VACUUM (ANALYZE) devices, positions');
  }

  async findBySecret(secretHash: Buffer): Promise<number | null> {
    const rows = await this.dataSource.query<{ id: number }[]>('SELECT id FROM devices WHERE secret_hash = $1', [
      secretHash,
    ]);
    return rows[0]?.id ?? null;
  }

  async updateToken(id: number, token: string, language: string): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      const [own] = await tx.query<{ provider: string }[]>('SELECT provider FROM devices WHERE id = $1', [id]);
      if (!own) return;
      await this.takeToken(tx, own.provider, token, id);
      await tx.query('UPDATE devices SET token = $2, language = $3, heard_at = now() WHERE id = $1', [
        id,
        token,
        language,
      ]);
    });
  }

  /** Frees a token from the row that had it; two registrations of one token wait for each other. */
  private async takeToken(tx: EntityManager, provider: string, token: string, keep: number | null): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [token]);
    await tx.query(
      'DELETE FROM devices WHERE provider = $1 AND md5(token) = md5($2) AND token = $2 AND id IS DISTINCT FROM $3',
      [provider, token, keep],
    );
  }

  async updatePreferences(id: number, preferences: Preferences): Promise<void> {
    const { optedOut, mutedUntil, quiet } = preferences;
    await this.dataSource.query(
      `UPDATE positions SET opted_out = $2, muted_until = $3, quiet_from = $4, quiet_until = $5, zone = $6
       WHERE device_id = $1`,
      [
        id,
        optedOut.length ? optedOut : null,
        mutedUntil,
        quiet?.from ?? null,
        quiet?.until ?? null,
        quiet?.zone ?? null,
      ],
    );
  }

  async delete(id: number): Promise<void> {
    await this.dataSource.query('DELETE FROM devices WHERE id = $1', [id]);
  }

  /** Those of `ids` that can still be pushed to, in no order. */
  targets(ids: readonly number[]): Promise<PushTarget[]> {
    return this.dataSource.query<PushTarget[]>(
      prepared(
        'targets',
        'SELECT id, token, platform, language FROM devices WHERE id = ANY($1::bigint[]) AND token IS NOT NULL',
      ),
      [ids],
    );
  }

  /** Forgets where devices were that have not been heard of for so many days, and keeps when that was. @returns how many */
  async forgetPlaces(olderThanDays: number, limit: number): Promise<number> {
    const [row] = await this.dataSource.query<[{ forgotten: number }]>(
      `WITH stale AS (
         SELECT device_id, seen_at FROM positions WHERE seen_at < now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE SKIP LOCKED
       ), forgotten AS (
         UPDATE positions p SET cell = NULL, lon = NULL, lat = NULL, seen_at = NULL
         FROM stale WHERE p.device_id = stale.device_id
       ), heard AS (
         UPDATE devices d SET heard_at = greatest(d.heard_at, stale.seen_at) FROM stale WHERE d.id = stale.device_id
       )
       SELECT count(*) AS forgotten FROM stale`,
      [olderThanDays, limit],
    );
    return row.forgotten;
  }

  /**
   * Takes down when devices were last seen whose registration alone is so many days ago, so that {@link deleteUnheard} looks at
   * those once in as many days and not whenever it looks. @returns how many
   */
  async noteSeen(days: number, limit: number): Promise<number> {
    const [, noted] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE devices SET heard_at = seen.at FROM (
         SELECT d.id, p.seen_at AS at FROM devices d JOIN positions p ON p.device_id = d.id
         WHERE d.heard_at < now() - make_interval(days => $1) AND p.seen_at >= now() - make_interval(days => $1)
         LIMIT $2 FOR UPDATE OF d SKIP LOCKED
       ) seen WHERE devices.id = seen.id`,
      [days, limit],
    );
    return noted;
  }

  /** Deletes devices that have not been heard of for so many days, with all that is known of them. @returns how many */
  async deleteUnheard(days: number, limit: number): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown[], number]>(
      `DELETE FROM devices WHERE id IN (
         SELECT d.id FROM devices d LEFT JOIN positions p ON p.device_id = d.id
         WHERE d.heard_at < now() - make_interval(days => $1) AND p.seen_at IS NULL LIMIT $2 FOR UPDATE OF d SKIP LOCKED)`,
      [days, limit],
    );
    return deleted;
  }

  /**
   * Forgets dead tokens, unless the device has registered another since, and where those devices were. Positions are locked in
   * the order of their devices, as by those who move them.
   */
  async retire(tx: EntityManager, dead: readonly Pick<PushTarget, 'id' | 'token'>[]): Promise<void> {
    await tx.query(
      `WITH dead AS (
         UPDATE devices d SET token = NULL FROM unnest($1::bigint[], $2::text[]) AS gone(id, token)
         WHERE d.id = gone.id AND d.token = gone.token RETURNING d.id
       ), held AS MATERIALIZED (
         SELECT device_id FROM positions JOIN dead ON device_id = dead.id ORDER BY device_id FOR NO KEY UPDATE OF positions
       )
       UPDATE positions SET cell = NULL, lon = NULL, lat = NULL, seen_at = NULL
       FROM held WHERE positions.device_id = held.device_id`,
      [dead.map((device) => device.id), dead.map((device) => device.token)],
    );
  }
}
