import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the system itself holds, sets aside and counts, so that nothing is lost in silence. */
export class KeepingPromises1764000000021 implements MigrationInterface {
  name = 'KeepingPromises1764000000021';

  async up(db: QueryRunner): Promise<void> {
    // An act of the system is reviewed like one of an officer's; nobody did it.
    await db.query('ALTER TABLE reviews ALTER officer_id DROP NOT NULL');
    await db.query('ALTER TABLE alerts ADD resumed_at timestamptz');
    // Apart from the alerts, whose rows settling batches share all the time.
    await db.query(`
      CREATE TABLE gap_watches (alert_id uuid PRIMARY KEY REFERENCES alerts ON DELETE CASCADE, until timestamptz NOT NULL)`);
    await db.query(`
      ALTER TABLE batches
        -- When it was owed first: tries move run_at, not this.
        ADD due_at timestamptz NOT NULL DEFAULT now(),
        ADD lost_leases integer NOT NULL DEFAULT 0,
        ADD barren smallint NOT NULL DEFAULT 0,
        ADD faults smallint NOT NULL DEFAULT 0,
        ADD dead_reason text CHECK (dead_reason ~ '^[A-Za-z0-9_]{1,64}$'),
        ADD dead_at timestamptz,
        DROP CONSTRAINT batches_state_check,
        ADD CONSTRAINT batches_state_check CHECK (state IN ('pending', 'leased', 'settled', 'dead')),
        ADD CONSTRAINT batches_dead_check CHECK
          ((state = 'dead') = (dead_reason IS NOT NULL) AND (state = 'dead') = (dead_at IS NOT NULL))`);
    await db.query(`CREATE INDEX batches_dead ON batches (id) WHERE state = 'dead'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX batches_dead');
    await db.query(`
      UPDATE batches SET state = 'pending', dead_reason = NULL, dead_at = NULL, run_at = now() WHERE state = 'dead'`);
    await db.query(`
      ALTER TABLE batches
        DROP CONSTRAINT batches_dead_check,
        DROP CONSTRAINT batches_state_check,
        ADD CONSTRAINT batches_state_check CHECK (state IN ('pending', 'leased', 'settled')),
        DROP dead_at, DROP dead_reason, DROP faults, DROP barren, DROP lost_leases, DROP due_at`);
    await db.query('DROP TABLE gap_watches');
    await db.query('ALTER TABLE alerts DROP resumed_at');
    // The audit keeps what the system did.
    await db.query('DELETE FROM reviews WHERE officer_id IS NULL');
    await db.query('ALTER TABLE reviews ALTER officer_id SET NOT NULL');
  }
}
