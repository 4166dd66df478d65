import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Append-only, chained per agency; `actor` and `thing` are references, so that names never enter. */
export class Audit1764000000003 implements MigrationInterface {
  name = 'Audit1764000000003';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE audit_chains (
        agency_id uuid PRIMARY KEY,
        seq bigint NOT NULL,
        hash bytea NOT NULL
      )`);
    await db.query(`
      CREATE TABLE audit_entries (
        agency_id uuid NOT NULL,
        seq bigint NOT NULL,
        at timestamptz NOT NULL,
        actor text NOT NULL,
        action text NOT NULL,
        thing text NOT NULL,
        detail jsonb NOT NULL,
        previous_hash bytea NOT NULL,
        hash bytea NOT NULL,
        PRIMARY KEY (agency_id, seq)
      )`);
    await db.query('CREATE INDEX audit_entries_thing ON audit_entries (thing, at)');
    await db.query(`
      CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit entries are append-only';
      END $$`);
    await db.query(`
      CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE audit_entries, audit_chains');
    await db.query('DROP FUNCTION refuse_audit_change()');
  }
}
