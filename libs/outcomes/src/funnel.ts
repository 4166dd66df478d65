import type { Cause, Outcome } from '#cases';
import type { Tier } from '#dispatch';
import type { Dismissal, SightingSource, SightingState } from '#sightings';

/** Why a device inside the area was not asked → how many. */
export type WithheldCounts = Readonly<Record<string, number>>;

/** `targeted` is the sum of what follows it; `withheld` is counted beside. Recipients. */
export interface Asked {
  readonly targeted: number;
  readonly accepted: number;
  readonly unregistered: number;
  readonly rejected: number;
  readonly expired: number;
  readonly stopped: number;
  readonly unknown: number;
  readonly pending: number;
}

/** Recipients whose phones answered, each once: `of` were accepted by the provider and could have. */
export interface Reached {
  readonly of: number;
  readonly received: number;
  readonly outside: number;
  readonly opened: number;
}

/** Links made from the push (`roots`, of `of` who opened it) and from links (`children`); people who came by them. */
export interface Forwarded {
  readonly of: number;
  readonly roots: number;
  readonly children: number;
  readonly maxDepth: number;
  readonly views: number;
}

/** Milliseconds from the recipient's batch's last push; of `of` recipients. Null where there are none. */
export interface Delay {
  readonly of: number;
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
}

export interface Times {
  /** Milliseconds from the release. */
  readonly firstPushMs: number | null;
  readonly lastPushMs: number | null;
  readonly receiptDelay: Delay;
  readonly openDelay: Delay;
}

/** One alert's funnel. An ending's own wave is apart: it tells those who were asked, and asks nobody. */
export interface AlertFunnel {
  readonly alertId: string;
  readonly slug: string;
  readonly tier: Tier;
  readonly releasedAt: Date;
  readonly endedAt: Date | null;
  readonly asked: Asked & { readonly withheld: WithheldCounts };
  readonly reached: Reached;
  readonly forwarded: Forwarded;
  readonly times: Times;
  readonly ended: Asked & { readonly reached: Reached };
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
