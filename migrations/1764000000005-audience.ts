import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Every device has one row in `positions`, overwritten and never a trail; `cell` is null while nothing is known.
 * What a snapshot filters by stands in that row: a join per device would cost more than the whole audience does.
 */
export class Audience1764000000005 implements MigrationInterface {
  name = 'Audience1764000000005';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE devices (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        secret_hash bytea NOT NULL UNIQUE,
        provider text NOT NULL,
        platform text NOT NULL CHECK (platform IN ('android', 'ios')),
        token text CHECK (length(token) BETWEEN 1 AND 4096),
        language text NOT NULL CHECK (language IN ('zh-CN', 'en')),
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    // One installation per token, or a phone would be asked twice. md5 only shortens the key; it guards nothing.
    await db.query('CREATE UNIQUE INDEX devices_token ON devices (provider, md5(token)) WHERE token IS NOT NULL');
    await db.query(`
      CREATE TABLE positions (
        device_id bigint PRIMARY KEY REFERENCES devices ON DELETE CASCADE,
        provider text NOT NULL,
        cell bigint,
        lon double precision CHECK (lon BETWEEN -180 AND 180),
        lat double precision CHECK (lat BETWEEN -90 AND 90),
        seen_at timestamptz,
        opted_out text[],
        muted_until timestamptz,
        quiet_from smallint CHECK (quiet_from BETWEEN 0 AND 1439),
        quiet_until smallint CHECK (quiet_until BETWEEN 0 AND 1439),
        zone text,
        CHECK ((cell IS NULL) = (lon IS NULL) AND (cell IS NULL) = (lat IS NULL) AND (cell IS NULL) = (seen_at IS NULL)),
        CHECK ((quiet_from IS NULL) = (quiet_until IS NULL) AND (quiet_from IS NULL OR zone IS NOT NULL))
      ) WITH (fillfactor = 70)`);
    await db.query('CREATE INDEX positions_cell ON positions (cell)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE positions, devices');
  }
}
