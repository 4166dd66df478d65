import { FRESH_DAYS, UNHEARD_DAYS } from '#audience';
import type { KeptCases } from '#cases';
import { RECIPIENTS_KEPT_DAYS } from '#dispatch';

interface Rule {
  /** What goes. */
  readonly what: string;
  /** Days after `from`; null is the agency's own, or at once. */
  readonly days: number | null;
  readonly from: string;
}

/** What is forgotten when, by the worker's step that does it. */
export const RETENTION_RULES = {
  cases: {
    what: 'case data and photos, with the key that sealed them',
    days: null,
    from: 'closing, the agency’s days',
  },
  sightings: { what: 'tips: words, place, contact, photo', days: 0, from: 'the erasure of their case' },
  alerts: { what: 'public texts, place, area and photo of an alert', days: 0, from: 'the erasure of its cases' },
  forwards: { what: 'who forwarded', days: 0, from: 'closing' },
  recipients: { what: 'whom an alert asked, and who answered', days: RECIPIENTS_KEPT_DAYS, from: 'closing' },
  places: { what: 'where a device was', days: FRESH_DAYS, from: 'its last word' },
  devices: { what: 'devices, with their tokens', days: UNHEARD_DAYS, from: 'their last word' },
  sessions: { what: 'sign-ins', days: 7, from: 'their end' },
  invitations: { what: 'invitations that nobody took up', days: 0, from: 'their end' },
  idempotency: { what: 'names of requests that may be repeated', days: 7, from: 'the request' },
  outbox: { what: 'jobs that could not be handed over', days: 7, from: 'their promise' },
} as const satisfies Record<string, Rule>;

export type RetentionStep = keyof typeof RETENTION_RULES;

export const RETENTION_STEPS = Object.keys(RETENTION_RULES) as readonly RetentionStep[];

/** How one step stands. */
export interface StepStanding extends Rule {
  readonly step: RetentionStep;
  /** When it last ended well; null when it never did. */
  readonly ranAt: Date | null;
  /** What it forgot then: rows, or cases, alerts and devices. */
  readonly forgotten: number;
  readonly failedAt: Date | null;
  /** It should have run within the last hours, and has not. */
  readonly late: boolean;
}

/** Alerts whose recipients are still known. */
export type KeptRecipients = KeptCases;

/** What is kept of an agency's, and whether what is to go goes. */
export interface RetentionReport {
  readonly agencyId: string;
  /** Days that the agency keeps a case after its closing. */
  readonly retentionDays: number;
  readonly cases: KeptCases;
  readonly recipients: KeptRecipients;
  readonly steps: readonly StepStanding[];
}
