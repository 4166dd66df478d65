import type { Cause, Outcome } from '#cases';
import type { Tier } from '#dispatch';
import type { Dismissal, SightingSource, SightingState } from '#sightings';

/** A count as it is. */
export type Counted = number;
/** A count as it may be told: to two digits and no finer than tens; null stands for fewer than 10. */
export type Told = number | null;

/** Why a device inside the area was not asked → how many. */
export type WithheldCounts<Count = Told> = Readonly<Record<string, Count>>;

/** `targeted` is the sum of what follows it, each told by itself; `withheld` is counted beside. Recipients. */
export interface Asked<Count = Told> {
  readonly targeted: Count;
  readonly accepted: Count;
  readonly unregistered: Count;
  readonly rejected: Count;
  readonly expired: Count;
  readonly stopped: Count;
  readonly unknown: Count;
  readonly pending: Count;
}

/** Recipients whose phones answered, each once: `of` were accepted by the provider and could have. */
export interface Reached<Count = Told> {
  readonly of: Count;
  readonly received: Count;
  readonly outside: Count;
  readonly opened: Count;
}

/** Links made from the push (`roots`, of `of` who opened it) and from links (`children`); people who came by them. */
export interface Forwarded<Count = Told> {
  readonly of: Count;
  readonly roots: Count;
  readonly children: Count;
  readonly maxDepth: Count;
  readonly views: Count;
}

/** Milliseconds from the recipient's batch's last push; of `of` recipients. Null where there are fewer than 10. */
export interface Delay<Count = Told> {
  readonly of: Count;
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
}

export interface Times<Count = Told> {
  /** Milliseconds from the release. */
  readonly firstPushMs: number | null;
  readonly lastPushMs: number | null;
  readonly receiptDelay: Delay<Count>;
  readonly openDelay: Delay<Count>;
}

/** One alert's funnel. An ending's own wave is apart: it tells those who were asked, and asks nobody. */
export interface AlertFunnel<Count = Told> {
  readonly alertId: string;
  readonly slug: string;
  readonly tier: Tier;
  readonly releasedAt: Date;
  readonly endedAt: Date | null;
  readonly asked: Asked<Count> & { readonly withheld: WithheldCounts<Count> };
  readonly reached: Reached<Count>;
  readonly forwarded: Forwarded<Count>;
  readonly times: Times<Count>;
  readonly ended: Asked<Count> & { readonly reached: Reached<Count> };
}

export interface SightingCounts {
  readonly total: number;
  readonly byState: Readonly<Record<SightingState, number>>;
  readonly bySource: Readonly<Record<SightingSource, number>>;
  /** Of the dismissed. */
  readonly byDismissal: Readonly<Record<Dismissal, number>>;
}

/** What one case's alerts did, from the first push to how the case ended. Counts; no person, no phone, no place. */
export interface Funnel {
  readonly caseId: string;
  /** How the case ended, and whether the alert caused it; null while it is open. */
  readonly outcome: Outcome | null;
  readonly cause: Cause | null;
  readonly closedAt: Date | null;
  readonly alerts: readonly AlertFunnel[];
  readonly sightings: SightingCounts;
}
