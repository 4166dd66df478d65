import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of a W3C traceparent only what is kept is noted: what is not traced has none. */
const TRACE_PARENT = `text CHECK (trace_parent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-01$')`;

/** What made a wave, or promised a job, for whoever goes on with it in another process. */
export class Traces1764000000022 implements MigrationInterface {
  name = 'Traces1764000000022';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE waves ADD trace_parent ${TRACE_PARENT}`);
    await db.query(`ALTER TABLE outbox ADD trace_parent ${TRACE_PARENT}`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE outbox DROP trace_parent');
    await db.query('ALTER TABLE waves DROP trace_parent');
  }
}
