import type { PhoneBooks } from '../harness/running-simulator.ts';
import type { Traffic } from './traffic.ts';

/** What a table's rows are, in words, and how many there may be at the most. */
export interface Named {
  readonly what: string;
  readonly most: number;
}

/** Rows that do not grow with use: a lease, a note, a step's last run. */
const HOUSEKEEPING = 40;
/** A late wave for a new message and for a new hour, beside the message's own. */
const WAVES_OF_A_MESSAGE = 3;
/** An act and the read before it. */
const ENTRIES_OF_A_REQUEST = 2;

/** The rows that books outside of the tables name, by table. A table that is not here may not get any. */
export function namedRows(
  { lives, acts }: Pick<Traffic, 'lives' | 'acts'>,
  phones: PhoneBooks,
  signIns: number,
): ReadonlyMap<string, Named> {
  const alerts = { what: 'alerts', most: acts.filed };
  const messages = acts.filed + acts.told;
  const recipients = { what: 'recipients', most: lives.reduce((sum, each) => sum + each.recipients, 0) };
  const entries = (acts.requests + signIns) * ENTRIES_OF_A_REQUEST + acts.filed;
  const housekeeping = { what: 'housekeeping', most: HOUSEKEEPING };
  return new Map<string, Named>([
    ...['alerts', 'alert_cases', 'cases', 'vault.case_keys', 'gap_watches'].map((table) => [table, alerts] as const),
    ['messages', { what: 'messages', most: messages }],
    ['waves', { what: 'waves of messages', most: messages * WAVES_OF_A_MESSAGE }],
    ...['batches', 'batch_recipients'].map((table) => [table, recipients] as const),
    ['receipts', { what: 'receipts and opens', most: phones.received + phones.opened }],
    ['forwards', { what: 'forwards', most: phones.forwards }],
    ['views', { what: 'views', most: phones.views }],
    ['audit_entries', { what: 'audit entries', most: entries }],
    ['sessions', { what: 'sign-ins', most: signIns }],
    ['reviews', { what: 'acts to review', most: acts.reviews }],
    ['alert_changes', { what: 'changes', most: acts.changes }],
    ['arrivals', { what: 'moves', most: acts.moves }],
    ...['audit_chains', 'retention_runs', 'top_up_leases', 'arrivals_wanted', 'deployment_identity'].map(
      (table) => [table, housekeeping] as const,
    ),
  ]);
}
