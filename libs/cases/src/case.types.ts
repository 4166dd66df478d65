import type { LonLat } from '#geo';

export const CASE_TYPES = ['abduction', 'family_abduction', 'runaway', 'lost', 'unknown'] as const;
/** What police believe happened. Never shown to the public. */
export type CaseType = (typeof CASE_TYPES)[number];

export const OUTCOMES = ['safe', 'harmed', 'dead', 'unfounded', 'not_found'] as const;
/** How a case ended. Private. */
export type Outcome = (typeof OUTCOMES)[number];

export const CAUSES = ['direct', 'assisted', 'none', 'unknown'] as const;
/**
 * Whether the alert brought the child home: `direct`, a tip from it led there; `assisted`, it helped; `none`, the
 * child was found otherwise. 'Found' is not 'found because of'.
 */
export type Cause = (typeof CAUSES)[number];

/** The child as police know them; null is 'unknown'. Private in every field. */
export interface CaseDetails {
  readonly name: string | null;
  readonly ageYears: number | null;
  readonly sex: 'female' | 'male' | 'other' | null;
  readonly looks: string | null;
  readonly clothes: string | null;
  /** Health, disability, language: what a finder should know, and what makes the hours count. */
  readonly needs: string | null;
  readonly circumstances: string | null;
}

/** When and where the child was last seen: an interval, for nobody looks at the clock; each part may be unknown. */
export interface LastSeen {
  readonly from: Date | null;
  readonly until: Date | null;
  readonly place: string | null;
  readonly point: LonLat | null;
}

/** What an officer or another police system writes of a case. */
export interface CaseInput {
  readonly type: CaseType;
  readonly details: CaseDetails;
  readonly lastSeen: LastSeen;
}

export interface Closing {
  readonly outcome: Outcome;
  readonly cause: Cause;
}
