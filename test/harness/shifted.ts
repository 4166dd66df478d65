/** Whatever runs SQL. */
interface Database {
  query(sql: string, values: unknown[]): Promise<unknown>;
}

/** Makes all that the ledger knows of an alert so many minutes older, as if nothing had happened since. */
export async function shiftLedger(source: Database, alertId: string, minutes: number): Promise<void> {
  const earlier = (column: string) => `${column} = ${column} - make_interval(mins => $2)`;
  const shift = async (table: string, columns: readonly string[], key: string) => {
    await source.query(`UPDATE ${table} SET ${columns.map(earlier).join(', ')} WHERE ${key} = $1`, [alertId, minutes]);
  };
  await shift('batches', ['due_at', 'run_at', 'lease_until', 'first_push_at', 'last_push_at'], 'alert_id');
  await shift('waves', ['created_at', 'settled_at'], 'alert_id');
  await shift('gap_watches', ['until'], 'alert_id');
  await shift('alerts', ['released_at', 'resumed_at', 'held_at'], 'id');
}
