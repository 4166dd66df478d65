import type { EntityManager } from 'typeorm';

/**
 * Where whoever locks a live alert's row queues first, until the transaction ends. PostgreSQL lets sharers of a row pass those
 * who wait to change it: settling batches would keep a hold waiting for as long as there are any. Advisory locks are
 * granted in the order of asking.
 */
const GATE = 'hashtextextended($1, 72)';

/** For an act on the alert: waits for the settlements under way, and none begins before it is done. */
export async function enterAlone(tx: EntityManager, alertId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${GATE})`, [alertId]);
}

/** For a settlement of one of its batches: beside others, behind every act that waits already. */
export async function enterBeside(tx: EntityManager, alertId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock_shared(${GATE})`, [alertId]);
}
