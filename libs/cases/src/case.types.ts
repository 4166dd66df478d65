import type { Point } from 'geojson';
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

export const CONSENTS = ['guardian', 'none'] as const;
/** Whether a guardian agrees to telling the public and, without that, why police tell it all the same. */
export interface Consent {
  readonly given: (typeof CONSENTS)[number];
  readonly reason: string | null;
}

export const PUBLICITIES = ['safe', 'page_only', 'none'] as const;
/**
 * Whether publicity could endanger this child: `safe`, it could not; `page_only`, no phone may be woken; `none`, the public
 * may be told nothing.
 */
export type Publicity = (typeof PUBLICITIES)[number];

/** What must be answered before a case is submitted; null is 'not answered yet'. */
export interface HarmCheck {
  readonly consent: Consent | null;
  /** Whether somebody looked for a custody or protection order: an alert must not lead an abuser to the child. */
  readonly custodyOrderChecked: boolean | null;
  readonly publicity: Publicity | null;
}

/** What an officer or another police system writes of a case. */
export interface CaseInput extends HarmCheck {
  readonly type: CaseType;
  readonly details: CaseDetails;
  readonly lastSeen: LastSeen;
}

/** All that is private of a case and goes with its key. */
export interface CaseContents extends HarmCheck {
  readonly details: CaseDetails;
  readonly lastSeenFrom: Date | null;
  readonly lastSeenUntil: Date | null;
  readonly lastSeenPlace: string | null;
  readonly lastSeenPoint: Point | null;
  /** Why a verifier returned or rejected it. */
  readonly decisionReason: string | null;
}

export interface Closing {
  readonly outcome: Outcome;
  readonly cause: Cause;
}
