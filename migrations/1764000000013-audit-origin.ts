import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * From where and why, beside who and what. `version` says which fields an entry's hash covers: entries of version 1 stay as
 * they were written. `seal` is a MAC of a chain's head under a key that the database does not hold.
 */
export class AuditOrigin1764000000013 implements MigrationInterface {
  name = 'AuditOrigin1764000000013';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE audit_entries
        ADD COLUMN version smallint NOT NULL DEFAULT 1 CHECK (version IN (1, 2)),
        ADD COLUMN origin text,
        ADD COLUMN why text,
        ADD CHECK ((version = 1) = (why IS NULL) AND (version = 2 OR origin IS NULL))`);
    await db.query('ALTER TABLE audit_entries ALTER COLUMN version DROP DEFAULT');
    await db.query('ALTER TABLE audit_chains ADD COLUMN seal bytea');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE audit_chains DROP COLUMN seal');
    await db.query('ALTER TABLE audit_entries DROP COLUMN version, DROP COLUMN origin, DROP COLUMN why');
  }
}
