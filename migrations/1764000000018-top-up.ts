import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What tops up the audiences of live alerts. */
export class TopUp1764000000018 implements MigrationInterface {
  name = 'TopUp1764000000018';

  async up(db: QueryRunner): Promise<void> {
    // Ids alone, emptied every half minute: without an index an entry costs a microsecond. Unlogged: what a crash loses, whole looks find.
    await db.query(`
      CREATE UNLOGGED TABLE arrivals (device_id bigint NOT NULL)
      WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)`);
    await db.query(`
      CREATE TABLE arrivals_wanted (
        the_only boolean PRIMARY KEY DEFAULT true CHECK (the_only),
        until timestamptz NOT NULL
      )`);
    await db.query(`
      CREATE TABLE top_up_leases (
        the_only boolean PRIMARY KEY DEFAULT true CHECK (the_only),
        holder uuid NOT NULL,
        until timestamptz NOT NULL
      )`);
    await db.query('ALTER TABLE waves ADD late boolean NOT NULL DEFAULT false');
    await db.query('DROP INDEX batches_alert');
    await db.query('CREATE INDEX batches_alert ON batches (alert_id, id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX batches_alert');
    await db.query('CREATE INDEX batches_alert ON batches (alert_id)');
    await db.query('ALTER TABLE waves DROP late');
    await db.query('DROP TABLE top_up_leases, arrivals_wanted, arrivals');
  }
}
