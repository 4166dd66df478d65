import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who may act for whom, with what proof of who they are, and what one officer did alone. */
export class Authority1764000000009 implements MigrationInterface {
  name = 'Authority1764000000009';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE agencies
        ADD COLUMN neighbour_policy text NOT NULL DEFAULT 'ask' CHECK (neighbour_policy IN ('accept', 'ask', 'never')),
        ADD COLUMN retention_days int NOT NULL DEFAULT 90 CHECK (retention_days BETWEEN 1 AND 3650),
        ADD COLUMN frozen_at timestamptz`);
    await db.query('CREATE INDEX agencies_parent ON agencies (parent_id)');
    // Without a hash: invited, and no password was set yet.
    await db.query('ALTER TABLE officers ALTER COLUMN password_hash DROP NOT NULL, ADD COLUMN frozen_at timestamptz');
    await db.query(`
      ALTER TABLE sessions
        ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
        ADD COLUMN stepped_up_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN second_factor boolean NOT NULL DEFAULT false,
        ADD COLUMN network bytea`);
    await db.query(`
      CREATE TABLE second_factors (
        officer_id uuid PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
        secret bytea NOT NULL,
        last_step bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        confirmed_at timestamptz
      )`);
    await db.query(`
      CREATE TABLE recovery_codes (
        officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
        code_hash bytea NOT NULL,
        PRIMARY KEY (officer_id, code_hash)
      )`);
    await db.query(`
      CREATE TABLE invitations (
        officer_id uuid PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
        secret_hash bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE role_grants (
        id uuid PRIMARY KEY,
        officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
        agency_id uuid NOT NULL REFERENCES agencies,
        roles text[] NOT NULL CHECK (roles <@ ARRAY['liaison', 'verifier', 'analyst', 'administrator']),
        state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'confirmed', 'refused', 'overtaken')),
        proposed_by uuid NOT NULL REFERENCES officers,
        proposed_at timestamptz NOT NULL DEFAULT now(),
        decided_by uuid REFERENCES officers,
        decided_at timestamptz,
        CHECK ((decided_by IS NULL) = (state IN ('proposed', 'overtaken')))
      )`);
    await db.query(`CREATE UNIQUE INDEX role_grants_open ON role_grants (officer_id) WHERE state = 'proposed'`);
    await db.query(`
      CREATE TABLE reviews (
        id uuid PRIMARY KEY,
        agency_id uuid NOT NULL REFERENCES agencies,
        act text NOT NULL,
        thing text NOT NULL,
        officer_id uuid NOT NULL REFERENCES officers,
        created_at timestamptz NOT NULL DEFAULT now(),
        verdict text CHECK (verdict IN ('upheld', 'overturned')),
        settled_by uuid REFERENCES officers,
        settled_at timestamptz,
        CHECK ((verdict IS NULL) = (settled_by IS NULL) AND (verdict IS NULL) = (settled_at IS NULL)),
        CHECK (settled_by <> officer_id)
      )`);
    await db.query('CREATE INDEX reviews_open ON reviews (agency_id, created_at) WHERE verdict IS NULL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE reviews, role_grants, invitations, recovery_codes, second_factors');
    await db.query(`
      ALTER TABLE sessions DROP COLUMN id, DROP COLUMN stepped_up_at, DROP COLUMN second_factor, DROP COLUMN network`);
    // Nobody can sign in with it, as nobody could before a password was set.
    await db.query(`UPDATE officers SET password_hash = 'none' WHERE password_hash IS NULL`);
    await db.query('ALTER TABLE officers ALTER COLUMN password_hash SET NOT NULL, DROP COLUMN frozen_at');
    await db.query('DROP INDEX agencies_parent');
    await db.query(`
      ALTER TABLE agencies DROP COLUMN neighbour_policy, DROP COLUMN retention_days, DROP COLUMN frozen_at`);
  }
}
