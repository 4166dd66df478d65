import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is forgotten when, and the counts that outlive it. */
export class Retention1764000000014 implements MigrationInterface {
  name = 'Retention1764000000014';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE retention_runs (
        step text PRIMARY KEY,
        ran_at timestamptz,
        forgotten bigint NOT NULL DEFAULT 0,
        failed_at timestamptz
      )`);
    // Registered, given a new token, or last there when its place was forgotten: its place says the rest.
    await db.query('ALTER TABLE devices ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now()');
    await db.query('CREATE INDEX devices_heard ON devices (heard_at)');
    await db.query(`
      ALTER TABLE alerts ADD COLUMN recipients_forgotten_at timestamptz, ADD COLUMN erased_at timestamptz`);
    await db.query('CREATE INDEX alerts_unerased ON alerts (id) WHERE erased_at IS NULL');
    await db.query(`
      CREATE VIEW alert_closings AS
      SELECT ac.alert_id, max(coalesce(c.closed_at, c.updated_at)) AS closed_at, bool_and(c.erased_at IS NOT NULL) AS erased
      FROM alert_cases ac JOIN cases c ON c.id = ac.case_id
      GROUP BY ac.alert_id HAVING bool_and(c.state IN ('closed', 'rejected') OR c.erased_at IS NOT NULL)`);
    await db.query(`
      CREATE TABLE reduced_engagements (
        alert_id uuid PRIMARY KEY REFERENCES alerts ON DELETE CASCADE,
        at timestamptz NOT NULL DEFAULT now()
      )`);
    await db.query(`
      CREATE TABLE receipt_counts (
        alert_id uuid NOT NULL REFERENCES reduced_engagements ON DELETE CASCADE,
        ending boolean NOT NULL,
        kind text NOT NULL CHECK (kind IN ('received', 'opened', 'outside')),
        recipients integer NOT NULL,
        median_ms double precision,
        p90_ms double precision,
        PRIMARY KEY (alert_id, ending, kind)
      )`);
    await db.query('ALTER TABLE forwards ADD COLUMN views integer');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE forwards DROP COLUMN views');
    await db.query('DROP TABLE receipt_counts, reduced_engagements');
    await db.query('DROP VIEW alert_closings');
    await db.query('DROP INDEX alerts_unerased');
    await db.query('ALTER TABLE alerts DROP COLUMN recipients_forgotten_at, DROP COLUMN erased_at');
    await db.query('DROP INDEX devices_heard');
    await db.query('ALTER TABLE devices DROP COLUMN heard_at');
    await db.query('DROP TABLE retention_runs');
  }
}
