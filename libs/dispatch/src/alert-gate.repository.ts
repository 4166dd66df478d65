import type { EntityManager } from 'typeorm';

/**
 * Where whoever locks a live alert's row queues first, until the transaction ends. PostgreSQL lets sharers of a row pass those
 * who wait to change it: settling batches would keep a hold waiting for as long as there are any. Advisory locks are
 * granted in the order of asking.
 */
const gate = (alertId: string) => `hashtextextended(${alertId}, 72)`;

/** {@link enterBeside} as an expression of a statement that locks the row too. @param alertId the placeholder of the alert's id, as text */
export const besideGate = (alertId: string) => `pg_advisory_xact_lock_shared(${gate(alertId)})`;

/** For an act on the alert: waits for the settlements under way, and none begins before it is done. */
export async function enterAlone(tx: EntityManager, alertId: string): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${gate('$1')})`, [alertId]);
}

/** For a settlement of one of its batches: beside others, behind every act that waits already. */
export async function enterBeside(tx: EntityManager, alertId: string): Promise<void> {
  await tx.query(`SELECT ${besideGate('$1')}`, [alertId]);
}
