import type { MigrationInterface, QueryRunner } from 'typeorm';

const KINDS = `'area', 'ring', 'texts', 'renew', 'resume', 'photo'`;

/** The rings of an alert after its first, and what became of each. */
export class Ladder1764000000017 implements MigrationInterface {
  name = 'Ladder1764000000017';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE alerts
        ADD ladder jsonb NOT NULL DEFAULT '{"confirm": false, "rings": []}',
        ADD ladder_ended_at timestamptz,
        ADD ladder_ended_by uuid REFERENCES officers,
        ADD CHECK ((ladder_ended_at IS NULL) = (ladder_ended_by IS NULL))`);
    // What the ladder proposes has no officer for its author.
    await db.query(`
      ALTER TABLE alert_changes
        ALTER proposed_by DROP NOT NULL,
        DROP CONSTRAINT alert_changes_author_ids_check,
        ADD CONSTRAINT alert_changes_author_ids_check CHECK (proposed_by IS NULL OR cardinality(author_ids) > 0),
        DROP CONSTRAINT alert_changes_check,
        ADD CONSTRAINT alert_changes_check CHECK (proposed_by IS NULL OR proposed_by = ANY (author_ids)),
        DROP CONSTRAINT alert_changes_kind_check,
        ADD CONSTRAINT alert_changes_kind_check CHECK (kind IN (${KINDS}, 'ladder'))`);
    await db.query(`
      CREATE TABLE ladder_steps (
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        after_minutes smallint NOT NULL CHECK (after_minutes > 0),
        radius_m double precision NOT NULL,
        fired_at timestamptz,
        change_id uuid REFERENCES alert_changes ON DELETE CASCADE,
        PRIMARY KEY (alert_id, after_minutes),
        CHECK ((fired_at IS NULL) <> (change_id IS NULL))
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE ladder_steps');
    await db.query(`DELETE FROM alert_changes WHERE kind = 'ladder' OR proposed_by IS NULL`);
    await db.query(`
      ALTER TABLE alert_changes
        ALTER proposed_by SET NOT NULL,
        DROP CONSTRAINT alert_changes_author_ids_check,
        ADD CONSTRAINT alert_changes_author_ids_check CHECK (cardinality(author_ids) > 0),
        DROP CONSTRAINT alert_changes_check,
        ADD CONSTRAINT alert_changes_check CHECK (proposed_by = ANY (author_ids)),
        DROP CONSTRAINT alert_changes_kind_check,
        ADD CONSTRAINT alert_changes_kind_check CHECK (kind IN (${KINDS}))`);
    await db.query('ALTER TABLE alerts DROP ladder, DROP ladder_ended_at, DROP ladder_ended_by');
  }
}
