/** The keys of a payload that a phone reads, out of what FCM hands its app. */
import type { JsonObject } from './proto-json.ts';

export const KINDS = ['alert', 'update', 'cancel', 'found', 'expire', 'other'] as const;
export type Kind = (typeof KINDS)[number];

export interface Payload {
  /** Index into {@link KINDS}. */
  readonly kind: number;
  /** Public id of the alert; empty when the message has none. */
  readonly alert: string;
  readonly version: number;
  /** 2 km band, nearest is lowest; -1 when the message names none. */
  readonly band: number;
  /** Reference to be posted back. */
  readonly ref: string;
  readonly data: JsonObject;
}

const OTHER = KINDS.indexOf('other');

export function readPayload(data: JsonObject): Payload {
  const kind = KINDS.indexOf(data['kind'] as Kind);
  return {
    kind: kind < 0 ? OTHER : kind,
    alert: asText(data['alert']),
    version: wholeNumber(data['version'], 0),
    band: wholeNumber(data['band'], -1),
    ref: asText(data['ref']),
    data,
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function wholeNumber(value: unknown, otherwise: number): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : NaN;
  return Number.isSafeInteger(number) && number >= 0 ? number : otherwise;
}
