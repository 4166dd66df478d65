import { isbot } from 'isbot';

/** What a request tells about who makes it. */
export interface Visitor {
  readonly method: string;
  readonly address: string;
  readonly userAgent: string | undefined;
  /** The Sec-Purpose header (https://fetch.spec.whatwg.org/#sec-purpose-header), or its elder names Purpose and X-Moz. */
  readonly purpose: string | undefined;
}

/** Pages fetched before anybody has asked to see them. */
const AHEAD_OF_TIME = /\b(prefetch|prerender|preview)\b/i;

/** Whether a person opens the page now: not a crawler, a messenger that draws a card, or a browser fetching ahead. */
export function isPerson({ method, userAgent, purpose }: Visitor): boolean {
  if (method !== 'GET' || !userAgent) return false;
  return !AHEAD_OF_TIME.test(purpose ?? '') && !isbot(userAgent);
}
