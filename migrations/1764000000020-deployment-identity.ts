import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which database this deployment is in: whoever finds itself in another one was restored. */
export class DeploymentIdentity1764000000020 implements MigrationInterface {
  name = 'DeploymentIdentity1764000000020';

  async up(db: QueryRunner): Promise<void> {
    // `deployment` is for good, through every restore. The rest is the place, which the first worker takes on.
    await db.query(`
      CREATE TABLE deployment_identity (
        the_only boolean PRIMARY KEY DEFAULT true CHECK (the_only),
        deployment uuid NOT NULL DEFAULT gen_random_uuid(),
        system_identifier bigint,
        database_oid oid,
        table_oid oid,
        timeline integer,
        swept_at timestamptz,
        CHECK (num_nulls(system_identifier, database_oid, table_oid, timeline, swept_at) IN (0, 5))
      )`);
    await db.query('INSERT INTO deployment_identity DEFAULT VALUES');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE deployment_identity');
  }
}
