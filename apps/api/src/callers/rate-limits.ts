import { SetMetadata } from '@nestjs/common';
import type { RateLimitOptions } from '#platform';
import type { Caller } from './caller.ts';

/** Who is counted: a caller by its credential, a device by its secret whether it is proved yet or not, a recipient by the reference in its push, everyone else by their network. */
export type Counted = Exclude<Caller['kind'], 'unproven_device'> | 'recipient' | 'network';

/**
 * Requests in a window, for each of its kind; RATE_LIMIT_FACTOR multiplies them. Generous: who stays below never hears of
 * them. Acts that need a narrower bound (sign-in, registrations, previews, tips, links) have their own beside these.
 */
export const RATE_LIMITS: Readonly<Record<Counted, Omit<RateLimitOptions, 'name'>>> = {
  // A console that draws a live alert asks some times a second while an officer looks at it in several windows.
  officer: { points: 900, windowS: 60 },
  // Another police system that empties its backlog after an outage posts five cases a second.
  agency_key: { points: 300, windowS: 60 },
  // A phone tells its place every few minutes; one whose app restarts in a loop may still do it every second.
  device: { points: 60, windowS: 60 },
  // A push is received, opened and sent on once; a bad line makes a phone repeat each.
  recipient: { points: 30, windowS: 60 },
  // A crowd behind one carrier's address reads alerts; what is woken by a push at one moment is counted as recipient.
  network: { points: 3_000, windowS: 60 },
};

/** The share of a limit that a process gives before it asks Redis: nearly everybody stays below. */
export const CALM = 1 / 4;

/** Metadata of a route that phones call all at once. */
export const FROM_RECIPIENTS = 'from-recipients';

/**
 * A public route that a push makes thousands of phones behind one carrier's address call in the same minute: they are counted
 * one by one, by the reference that each got, and together only as a flood.
 */
export const FromRecipients = () => SetMetadata(FROM_RECIPIENTS, true);
