import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { RecipientReferences } from '#dispatch';
import { type GroupCommit, GroupCommits } from '#platform';
import { type ReceiptRow, ReceiptsRepository } from './receipts.repository.ts';

/** `received`: shown on the phone · `opened`: by a person · `outside`: the phone knows it is not in the area and stays silent. */
export const RECEIPT_KINDS = ['received', 'opened', 'outside'] as const;
type ReceiptKind = (typeof RECEIPT_KINDS)[number];

/** Items one report may hold. */
export const MAX_RECEIPTS = 500;

/** Rows of one statement: those of the biggest report. */
const GROUP = 2 * MAX_RECEIPTS;

/** Rows that may wait: about a second of what one process stores. */
const WAITING = 10 * GROUP;

export interface ReceiptItem {
  /** The recipient's reference, as the push carried it. */
  readonly ref: string;
  readonly kind: ReceiptKind;
}

/** What became of the items: `ignored` ones were forged, or their batch is gone. A repeat is accepted and changes nothing. */
export interface ReceiptAnswer {
  readonly accepted: number;
  readonly ignored: number;
}

@Injectable()
export class Receipts implements BeforeApplicationShutdown {
  private readonly reports: GroupCommit<readonly ReceiptRow[], Set<number>>;

  constructor(
    receipts: ReceiptsRepository,
    private readonly references: RecipientReferences,
    commits: GroupCommits,
  ) {
    this.reports = commits.of({
      name: 'receipts',
      write: async (reports) => {
        const known = await receipts.insert(reports.flat());
        return reports.map(() => known);
      },
      weigh: (rows) => rows.length,
      groupWeight: GROUP,
      waitingWeight: WAITING,
    });
  }

  /** Records up to {@link MAX_RECEIPTS} items, each once for ever. @throws Refusal `overloaded` */
  async record(items: readonly ReceiptItem[]): Promise<ReceiptAnswer> {
    const genuine = items.flatMap(({ ref, kind }) => {
      const recipient = this.references.decode(ref);
      return recipient ? [{ ...recipient, kind }] : [];
    });
    const known = genuine.length > 0 ? await this.reports.add(genuine.flatMap(implied)) : new Set<number>();
    const accepted = genuine.filter(({ batchId }) => known.has(batchId)).length;
    return { accepted, ignored: items.length - accepted };
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.reports.drain();
  }
}

/** Nobody opens what the phone did not receive, and the receipt before the open may have been lost. */
function implied(row: ReceiptRow): ReceiptRow[] {
  return row.kind === 'opened' ? [row, { ...row, kind: 'received' }] : [row];
}
