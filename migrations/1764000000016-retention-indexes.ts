import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is looked for every hour is found without reading what has been forgotten already. */
export class RetentionIndexes1764000000016 implements MigrationInterface {
  name = 'RetentionIndexes1764000000016';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX forwards_known ON forwards (alert_id) WHERE index IS NOT NULL');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX forwards_known');
  }
}
