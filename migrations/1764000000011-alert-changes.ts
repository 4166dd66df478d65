import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AlertChanges1764000000011 implements MigrationInterface {
  name = 'AlertChanges1764000000011';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE alerts
        ADD held_at timestamptz,
        ADD held_by uuid REFERENCES officers,
        ADD held_reason text,
        ADD stopped_at timestamptz,
        ADD stopped_by uuid REFERENCES officers,
        ADD CHECK ((held_at IS NULL) = (held_reason IS NULL))`);
    await db.query(`ALTER TABLE messages ADD notice text CHECK (notice IN ('photo_wrong'))`);
    await db.query(`
      ALTER TABLE waves
        ADD area jsonb,
        ADD passes_hold boolean NOT NULL DEFAULT false`);
    await db.query('ALTER TABLE batches ADD version integer NOT NULL DEFAULT 1');
    await db.query(`
      CREATE TABLE alert_changes (
        id uuid PRIMARY KEY,
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('area', 'ring', 'texts', 'renew', 'resume', 'photo')),
        content jsonb NOT NULL,
        state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'rejected', 'withdrawn')),
        proposed_by uuid NOT NULL REFERENCES officers,
        author_ids uuid[] NOT NULL CHECK (cardinality(author_ids) > 0),
        decided_by uuid REFERENCES officers,
        decided_at timestamptz,
        version text,
        reason bytea,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK (proposed_by = ANY (author_ids)),
        CHECK ((state = 'proposed') = (decided_at IS NULL)),
        CHECK ((state = 'approved') = (version IS NOT NULL)),
        CHECK (state <> 'approved' OR decided_by <> ALL (author_ids))
      )`);
    await db.query('CREATE INDEX alert_changes_alert ON alert_changes (alert_id, created_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE alert_changes');
    await db.query('ALTER TABLE batches DROP version');
    await db.query('ALTER TABLE waves DROP area, DROP passes_hold');
    await db.query('ALTER TABLE messages DROP notice');
    await db.query('ALTER TABLE alerts DROP held_at, DROP held_by, DROP held_reason, DROP stopped_at, DROP stopped_by');
  }
}
