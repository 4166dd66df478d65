import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is private of cases and tips stands sealed under a key per case, and the keys in a schema of their own: see
 * docs/adr/0008-per-case-keys.md. It cannot seal rows that are there already, so it refuses a database with cases.
 */
export class CasePrivacy1764000000010 implements MigrationInterface {
  name = 'CasePrivacy1764000000010';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE SCHEMA vault');
    // No foreign key: the vault is restored apart from the tables, and may then lack cases or hold more.
    await db.query(`
      CREATE TABLE vault.case_keys (
        case_id uuid PRIMARY KEY,
        wrapped bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await db.query(`
      ALTER TABLE cases
        DROP COLUMN details, DROP COLUMN last_seen_from, DROP COLUMN last_seen_until, DROP COLUMN last_seen_place,
        DROP COLUMN last_seen_point, DROP COLUMN decision_reason,
        ADD COLUMN sealed bytea,
        ADD COLUMN conflicted_ids uuid[] NOT NULL DEFAULT '{}',
        ADD COLUMN erased_at timestamptz,
        ADD CONSTRAINT cases_sealed CHECK ((sealed IS NULL) = (erased_at IS NOT NULL))`);
    await db.query(`
      ALTER TABLE case_photos
        DROP COLUMN jpeg, DROP COLUMN sha256,
        ADD COLUMN sealed bytea NOT NULL,
        ADD COLUMN digest bytea NOT NULL,
        ADD CONSTRAINT case_photos_case_id_digest_key UNIQUE (case_id, digest)`);
    await db.query('ALTER TABLE case_photos ALTER COLUMN sealed SET STORAGE EXTERNAL');
    await db.query(`
      ALTER TABLE sightings
        DROP COLUMN place, DROP COLUMN point, DROP COLUMN words, DROP COLUMN contact, DROP COLUMN photo_jpeg,
        ADD COLUMN sealed bytea,
        ADD COLUMN photo bytea,
        ADD COLUMN erased_at timestamptz,
        ADD CONSTRAINT sightings_sealed CHECK ((sealed IS NULL) = (erased_at IS NOT NULL)),
        ADD CONSTRAINT sightings_erased CHECK (erased_at IS NULL OR photo IS NULL AND observed_at IS NULL)`);
    await db.query('ALTER TABLE sightings ALTER COLUMN photo SET STORAGE EXTERNAL');
    await db.query(`
      CREATE TABLE alert_photos (
        alert_id uuid PRIMARY KEY REFERENCES alerts ON DELETE CASCADE,
        jpeg bytea NOT NULL,
        sha256 bytea NOT NULL,
        width integer NOT NULL,
        height integer NOT NULL
      )`);
    await db.query('ALTER TABLE alert_photos ALTER COLUMN jpeg SET STORAGE EXTERNAL');
  }

  /** Nothing can be unsealed here either: what was sealed is lost, so this too refuses a database with cases. */
  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE alert_photos');
    await db.query(`
      ALTER TABLE sightings
        DROP COLUMN sealed, DROP COLUMN photo, DROP COLUMN erased_at,
        ADD COLUMN place text,
        ADD COLUMN point geography(Point, 4326),
        ADD COLUMN words text NOT NULL,
        ADD COLUMN contact text,
        ADD COLUMN photo_jpeg bytea`);
    await db.query(`
      ALTER TABLE case_photos
        DROP COLUMN sealed, DROP COLUMN digest,
        ADD COLUMN jpeg bytea NOT NULL,
        ADD COLUMN sha256 bytea NOT NULL,
        ADD CONSTRAINT case_photos_case_id_sha256_key UNIQUE (case_id, sha256)`);
    await db.query('ALTER TABLE case_photos ALTER COLUMN jpeg SET STORAGE EXTERNAL');
    await db.query(`
      ALTER TABLE cases
        DROP COLUMN sealed, DROP COLUMN conflicted_ids, DROP COLUMN erased_at,
        ADD COLUMN details jsonb NOT NULL,
        ADD COLUMN last_seen_from timestamptz,
        ADD COLUMN last_seen_until timestamptz,
        ADD COLUMN last_seen_place text,
        ADD COLUMN last_seen_point geography(Point, 4326),
        ADD COLUMN decision_reason text,
        ADD CHECK (last_seen_from <= last_seen_until)`);
    await db.query('DROP SCHEMA vault CASCADE');
  }
}
