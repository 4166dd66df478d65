import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { type Actor, authorize } from '#access';
import { caseNotFound, CaseReads, Cases } from '#cases';
import { DISMISSALS, SIGHTING_STATES } from '#sightings';
import { Blur } from '#platform';
import type { AlertFunnel, Asked, Counted, Delay, Funnel, Reached, SightingCounts, WithheldCounts } from './funnel.ts';
import {
  type AlertRow,
  type AskedRow,
  type ForwardsRow,
  FunnelRepository,
  type ReceiptsRow,
  type SightingsRow,
  type WithheldRow,
} from './funnel.repository.ts';
import { toldFunnel } from './told.ts';

/** What an alert's rows are put together from. */
interface Books {
  readonly asked: readonly AskedRow[];
  readonly withheld: readonly WithheldRow[];
  readonly receipts: readonly ReceiptsRow[];
  readonly forwards: readonly ForwardsRow[];
}

/** What became of a case's alerts. Reads only. */
@Injectable()
export class Funnels {
  constructor(
    private readonly dataSource: DataSource,
    private readonly funnels: FunnelRepository,
    private readonly cases: Cases,
    private readonly reads: CaseReads,
    private readonly blur: Blur,
  ) {}

  /**
   * A case's funnel, all of one moment; the read is audited. Counts of phones and of people are blurred.
   * @throws Refusal `case_not_found`, `forbidden`
   */
  async ofCase(actor: Actor, caseId: string): Promise<Funnel> {
    const standing = await this.cases.standing(caseId);
    if (!standing) throw caseNotFound();
    authorize(actor, 'outcome.read', standing, caseNotFound());
    // One snapshot: a batch that settles between two statements must not upset the books.
    const funnel = await this.dataSource.transaction('REPEATABLE READ', (tx) => this.read(tx, caseId));
    await this.dataSource.transaction((tx) => this.reads.record(tx, actor, standing, { action: 'outcome.read' }));
    return funnel;
  }

  private async read(tx: EntityManager, caseId: string): Promise<Funnel> {
    const closing = await this.funnels.case(tx, caseId);
    if (!closing) throw caseNotFound();
    const alerts = await this.funnels.alerts(tx, caseId);
    const ids = alerts.map(({ alertId }) => alertId);
    const books = {
      asked: await this.funnels.asked(tx, ids),
      withheld: await this.funnels.withheld(tx, ids),
      receipts: await this.funnels.receipts(tx, ids),
      forwards: await this.funnels.forwards(tx, ids),
    };
    return {
      caseId,
      ...closing,
      alerts: alerts.map((alert) =>
        toldFunnel(alertFunnel(alert, books), (what, count) => this.blur.count(what, count)),
      ),
      sightings: sightingCounts(await this.funnels.sightings(tx, caseId)),
    };
  }
}

function alertFunnel(alert: AlertRow, books: Books): AlertFunnel<Counted> {
  const own = <Row extends { readonly alertId: string }>(rows: readonly Row[]) =>
    rows.filter(({ alertId }) => alertId === alert.alertId);
  const ringAsked = own(books.asked).find(({ ending }) => !ending);
  const endingAsked = own(books.asked).find(({ ending }) => ending);
  const receipts = own(books.receipts);
  const asked = askedOf(ringAsked);
  const reached = reachedOf(
    asked,
    receipts.filter(({ ending }) => !ending),
  );
  const forwards = own(books.forwards)[0];
  return {
    ...alert,
    asked: { ...asked, withheld: sumOf(own(books.withheld).map(({ withheld }) => withheld)) },
    reached,
    forwarded: {
      of: reached.opened,
      roots: forwards?.roots ?? 0,
      children: forwards?.children ?? 0,
      maxDepth: forwards?.maxDepth ?? 0,
      views: forwards?.views ?? 0,
    },
    times: {
      firstPushMs: ringAsked?.firstPushMs ?? null,
      lastPushMs: ringAsked?.lastPushMs ?? null,
      receiptDelay: delayOf('received', receipts),
      openDelay: delayOf('opened', receipts),
    },
    ended: {
      ...askedOf(endingAsked),
      reached: reachedOf(
        askedOf(endingAsked),
        receipts.filter(({ ending }) => ending),
      ),
    },
  };
}

function askedOf(row: AskedRow | undefined): Asked<Counted> {
  return {
    targeted: row?.targeted ?? 0,
    accepted: row?.accepted ?? 0,
    unregistered: row?.unregistered ?? 0,
    rejected: row?.rejected ?? 0,
    expired: row?.expired ?? 0,
    stopped: row?.stopped ?? 0,
    unknown: row?.unknown ?? 0,
    pending: row?.pending ?? 0,
  };
}

/** An unknown recipient may have been reached, so it belongs to those who could answer. */
function reachedOf({ accepted, unknown }: Asked<Counted>, receipts: readonly ReceiptsRow[]): Reached<Counted> {
  const saying = (kind: ReceiptsRow['kind']) => receipts.find((row) => row.kind === kind)?.recipients ?? 0;
  return { of: accepted + unknown, received: saying('received'), outside: saying('outside'), opened: saying('opened') };
}

function delayOf(kind: ReceiptsRow['kind'], receipts: readonly ReceiptsRow[]): Delay<Counted> {
  const row = receipts.find((receipt) => !receipt.ending && receipt.kind === kind);
  return { of: row?.recipients ?? 0, medianMs: row?.medianMs ?? null, p90Ms: row?.p90Ms ?? null };
}

function sumOf(counts: readonly WithheldCounts<Counted>[]): WithheldCounts<Counted> {
  const sum: Record<string, number> = {};
  for (const [reason, devices] of counts.flatMap((count) => Object.entries(count))) {
    sum[reason] = (sum[reason] ?? 0) + devices;
  }
  return sum;
}

function sightingCounts(rows: readonly SightingsRow[]): SightingCounts {
  const count = (wanted: (row: SightingsRow) => boolean) =>
    rows.filter(wanted).reduce((sum, { sightings }) => sum + sightings, 0);
  const by = <Key extends string>(keys: readonly Key[], of: (row: SightingsRow) => Key | null) =>
    Object.fromEntries(keys.map((key) => [key, count((row) => of(row) === key)])) as Record<Key, number>;
  return {
    total: count(() => true),
    byState: by(SIGHTING_STATES, ({ state }) => state),
    bySource: by(['app', 'page', 'phone'], ({ source }) => source),
    byDismissal: by(DISMISSALS, ({ dismissal }) => dismissal),
  };
}
