import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an alert's area holds of other agencies' land, and what those agencies say to it. */
export class AlertLands1764000000012 implements MigrationInterface {
  name = 'AlertLands1764000000012';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX agencies_jurisdiction ON agencies USING gist (jurisdiction)');
    await db.query(`
      CREATE TABLE alert_lands (
        id uuid PRIMARY KEY,
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        agency_id uuid NOT NULL REFERENCES agencies,
        policy text NOT NULL CHECK (policy IN ('accept', 'ask', 'never')),
        state text NOT NULL CHECK (state IN ('accepted', 'asked', 'agreed', 'refused', 'never')),
        land geometry(MultiPolygon, 4326) NOT NULL CHECK (ST_IsValid(land)),
        decided_by uuid REFERENCES officers,
        decided_at timestamptz,
        reason text,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
        CHECK ((decided_by IS NOT NULL) = (state IN ('agreed', 'refused'))),
        CHECK ((reason IS NOT NULL) = (state = 'refused'))
      )`);
    // Land met later joins what stands in the same state, so that an agency has one open ask of an alert.
    await db.query(`
      CREATE UNIQUE INDEX alert_lands_open ON alert_lands (alert_id, agency_id, state)
      WHERE state IN ('accepted', 'asked', 'never')`);
    await db.query('CREATE INDEX alert_lands_alert ON alert_lands (alert_id)');
    await db.query(`
      CREATE INDEX alert_lands_agency ON alert_lands (agency_id) WHERE state IN ('asked', 'refused')`);
    await db.query(`ALTER TABLE waves ADD COLUMN elsewhere jsonb NOT NULL DEFAULT '{}'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE waves DROP COLUMN elsewhere');
    await db.query('DROP TABLE alert_lands');
    await db.query('DROP INDEX agencies_jurisdiction');
  }
}
