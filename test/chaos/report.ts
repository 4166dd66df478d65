import Table from 'cli-table3';
import type { Outcome } from './scenario.ts';

export interface Told extends Outcome {
  readonly name: string;
}

/** The table that people read. */
export function tableOf(told: readonly Told[]): string {
  const head = ['scenario', 'targeted', 'lost', 'duplicates', 'allowed', 'recovered', '2nd alert', ''];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const each of told) {
    table.push([
      each.name,
      each.targeted,
      each.lost,
      each.duplicates,
      each.bound,
      seconds(each.recoveredMs),
      seconds(each.secondFirstPushMs),
      each.ok ? 'ok' : `NOT OK: ${each.why?.[0] ?? ''}`,
    ]);
  }
  return table.toString();
}

const seconds = (ms: number | null | undefined) => (typeof ms === 'number' ? `${(ms / 1000).toFixed(1)} s` : '–');
