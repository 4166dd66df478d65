/** Every message that a phone was sent, one by one: for runs of thousands, where each recipient is to be checked. */
import { type Kind, KINDS, type Payload } from './payload.ts';
import type { SendRequest } from './send-request.ts';

export interface KeptArrival {
  readonly token: string;
  readonly kind: Kind;
  readonly version: number;
  /** What replaces it while the phone is away: Android's `collapse_key`, iOS's `apns-collapse-id`; null without. */
  readonly collapseKey: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Whether the sender was told. */
  readonly answered: boolean;
}

export class Arrivals {
  readonly #byAlert = new Map<string, KeptArrival[]>();

  keep({ token, collapseKey }: SendRequest, payload: Payload, answered: boolean, at: number): void {
    const { alert, version } = payload;
    const kept = this.#byAlert.get(alert) ?? [];
    this.#byAlert.set(alert, kept);
    kept.push({ token, kind: KINDS[payload.kind] ?? 'other', version, collapseKey, at, answered });
  }

  /** In the order they came. */
  of(alert: string): readonly KeptArrival[] {
    return this.#byAlert.get(alert) ?? [];
  }
}
