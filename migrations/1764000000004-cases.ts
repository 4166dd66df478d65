import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Cases1764000000004 implements MigrationInterface {
  name = 'Cases1764000000004';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE cases (
        id uuid PRIMARY KEY,
        reference text NOT NULL UNIQUE,
        agency_id uuid NOT NULL REFERENCES agencies,
        state text NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'rejected', 'active', 'closed')),
        type text NOT NULL CHECK (type IN ('abduction', 'family_abduction', 'runaway', 'lost', 'unknown')),
        details jsonb NOT NULL,
        last_seen_from timestamptz,
        last_seen_until timestamptz,
        last_seen_place text,
        last_seen_point geography(Point, 4326),
        author_ids uuid[] NOT NULL,
        intake_key_id uuid REFERENCES agency_keys,
        verifier_id uuid REFERENCES officers,
        submitted_at timestamptz,
        verified_at timestamptz,
        closed_at timestamptz,
        decision_reason text,
        outcome text CHECK (outcome IN ('safe', 'harmed', 'dead', 'unfounded', 'not_found')),
        cause text CHECK (cause IN ('direct', 'assisted', 'none', 'unknown')),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK (last_seen_from <= last_seen_until),
        CHECK (cardinality(author_ids) > 0 OR intake_key_id IS NOT NULL),
        CHECK (verifier_id <> ALL (author_ids)),
        CHECK ((state = 'closed') = (outcome IS NOT NULL AND cause IS NOT NULL AND closed_at IS NOT NULL))
      )`);
    await db.query('CREATE INDEX cases_agency ON cases (agency_id, state, created_at DESC)');
    await db.query(`
      CREATE TABLE case_photos (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases ON DELETE CASCADE,
        jpeg bytea NOT NULL,
        sha256 bytea NOT NULL,
        width integer NOT NULL,
        height integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (case_id, sha256)
      )`);
    await db.query('ALTER TABLE case_photos ALTER COLUMN jpeg SET STORAGE EXTERNAL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE case_photos, cases');
  }
}
