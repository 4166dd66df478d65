import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Engagement1764000000007 implements MigrationInterface {
  name = 'Engagement1764000000007';

  async up(db: QueryRunner): Promise<void> {
    // A recipient is (batch, index): no device id, so that nothing here outlives the recipient arrays' deletion.
    await db.query(`
      CREATE TABLE receipts (
        batch_id bigint NOT NULL REFERENCES batches ON DELETE CASCADE,
        index smallint NOT NULL CHECK (index BETWEEN 0 AND 499),
        kind text NOT NULL CHECK (kind IN ('received', 'opened', 'outside')),
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (batch_id, index, kind)
      )`);
    await db.query(`
      CREATE TABLE forwards (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        parent_id bigint REFERENCES forwards ON DELETE CASCADE,
        batch_id bigint REFERENCES batches ON DELETE SET NULL,
        index smallint,
        depth smallint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((parent_id IS NULL) = (depth = 0))
      )`);
    await db.query('CREATE UNIQUE INDEX forwards_root ON forwards (batch_id, index) WHERE parent_id IS NULL');
    await db.query('CREATE INDEX forwards_parent ON forwards (parent_id)');
    await db.query('CREATE INDEX forwards_alert ON forwards (alert_id)');
    await db.query(`
      CREATE TABLE views (
        forward_id bigint NOT NULL REFERENCES forwards ON DELETE CASCADE,
        visitor_digest bytea NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (forward_id, visitor_digest)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE views, forwards, receipts');
  }
}
