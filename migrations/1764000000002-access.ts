import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Access1764000000002 implements MigrationInterface {
  name = 'Access1764000000002';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE agencies (
        id uuid PRIMARY KEY,
        name text NOT NULL UNIQUE,
        parent_id uuid REFERENCES agencies,
        jurisdiction geometry(MultiPolygon, 4326) NOT NULL CHECK (ST_IsValid(jurisdiction)),
        zone text NOT NULL,
        call_number text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await db.query(`
      CREATE TABLE agency_keys (
        id uuid PRIMARY KEY,
        agency_id uuid NOT NULL REFERENCES agencies,
        label text NOT NULL,
        secret_hash bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz
      )`);
    await db.query(`
      CREATE TABLE officers (
        id uuid PRIMARY KEY,
        agency_id uuid NOT NULL REFERENCES agencies,
        login text NOT NULL,
        name text NOT NULL,
        password_hash text NOT NULL,
        roles text[] NOT NULL CHECK (roles <@ ARRAY['liaison', 'verifier', 'analyst', 'administrator']),
        created_at timestamptz NOT NULL DEFAULT now(),
        disabled_at timestamptz
      )`);
    await db.query('CREATE UNIQUE INDEX officers_login ON officers (lower(login))');
    await db.query(`
      CREATE TABLE sessions (
        secret_hash bytea PRIMARY KEY,
        officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        seen_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
      )`);
    await db.query('CREATE INDEX sessions_officer ON sessions (officer_id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE sessions, officers, agency_keys, agencies');
  }
}
