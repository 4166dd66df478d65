import type { LonLat } from '#geo';
import type { Dismissal, SightingState } from './sighting-states.ts';

/** How a tip came: from the app, from the alert page, or by phone to an officer. */
export type SightingSource = 'app' | 'page' | 'phone';

/** What somebody saw, in their words. */
export interface SightingReport {
  readonly words: string;
  /** Where, in words. */
  readonly place: string | null;
  /** Where, in WGS-84. */
  readonly point: LonLat | null;
  readonly observedAt: Date | null;
  /** How to reach who saw it; for the case's officers only. */
  readonly contact: string | null;
  /** An upload, not yet re-encoded. */
  readonly photo: Buffer | null;
}

/** What who gives a tip is told: nothing about others' tips. */
export interface SightingReceipt {
  readonly id: string;
  readonly receivedAt: Date;
}

/** A tip as the case's officers see it. */
export interface Sighting extends Omit<SightingReport, 'photo'> {
  readonly id: string;
  readonly source: SightingSource;
  readonly state: SightingState;
  readonly receivedAt: Date;
  readonly hasPhoto: boolean;
  readonly takenBy: string | null;
  readonly triagedBy: string | null;
  readonly triagedAt: Date | null;
  readonly dismissal: Dismissal | null;
}

export interface SightingPage {
  /** Newest first. */
  readonly sightings: readonly Sighting[];
  /** What to ask the next, older page with; null on the last. */
  readonly next: string | null;
}

/** An officer's judgement of a tip. */
export type Triage =
  { readonly to: 'following' | 'confirmed' } | { readonly to: 'dismissed'; readonly dismissal: Dismissal };
