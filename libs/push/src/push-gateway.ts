/** Who carries a push to a phone. Every adapter adds its own name; providers never share a batch. */
export type Provider = 'fcm';

/** What runs on the phone: it decides the shape of the payload. */
export type Platform = 'android' | 'ios';

/** `real` reaches people; `exercise` and `demo` reach simulated phones only. */
export type Mode = 'real' | 'exercise' | 'demo';

/** Why a message was kept from the provider: it does not go with the mode, or its token not with the provider. */
export type PushRefusal =
  'REAL_TOKEN_OUTSIDE_REAL_MODE' | 'REAL_PROVIDER_OUTSIDE_REAL_MODE' | 'SIMULATED_TOKEN_TO_REAL_PROVIDER';

/** What a message does to an alert the phone may already show. */
export type PushKind = 'alert' | 'update' | 'cancel' | 'found' | 'expire';

/** What one phone is to show. The text is already in its language and stands alone: no provider promises order. */
export interface PushMessage {
  /** The provider's address of one installation. A simulated phone's starts with `sim:`. */
  readonly token: string;
  readonly platform: Platform;
  readonly kind: PushKind;
  /** The alert's public id: whatever is shown of an alert replaces what was shown of it before. */
  readonly alertId: string;
  readonly slug: string;
  /** Grows with each message of the alert; a phone drops what is not newer than what it shows. */
  readonly version: number;
  /** Opaque and unforgeable reference to batch and index, posted back in receipts, opens and forwards. */
  readonly ref: string;
  readonly title: string;
  readonly body: string;
  /** Compact JSON, WGS-84 degrees, longitude first: `{"c":[lon,lat],"r":metres}` or `{"b":[west,south,east,north]}`. */
  readonly area: string;
  /** Index of the 2 km distance band the phone was found in, 0 nearest. */
  readonly band: number;
  readonly sound: 'wake' | 'silent';
  /** Address of the alert page. */
  readonly link: string;
  readonly photo: string | null;
  /** No provider keeps the message for an offline phone beyond this. */
  readonly expiresAt: Date;
}

/**
 * What became of one message, as far as the provider told.
 * - `accepted`: the provider took it.
 * - `unregistered`: the token is dead and stays dead.
 * - `rejected`: it will never be taken as it is, or was refused here with a {@link PushRefusal}.
 * - `retry`: certainly not delivered, safe to send again, after `afterMs` where the provider or the adapter knows better than the caller;
 *   `tooMany` where the provider says that it is sent too much.
 * - `unknown`: it may have been delivered; sending it again may ask somebody twice.
 */
export type PushOutcome =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'unregistered' }
  | { readonly outcome: 'rejected'; readonly code: string }
  | { readonly outcome: 'retry'; readonly code: string; readonly afterMs?: number; readonly tooMany?: true }
  | { readonly outcome: 'unknown'; readonly code: string };

/**
 * Sends pushes through one provider and says what became of each. It is not a queue (it keeps nothing), not a pacer
 * (it knows no quota), not a retrier (an outcome `retry` is the caller's to act on) and not a ledger.
 */
export interface PushGateway {
  readonly provider: Provider;
  /**
   * Sends every message and resolves with one outcome for each, in the same order. Calls may overlap.
   * Never rejects: what goes wrong with one message is that message's outcome and keeps no other from being sent.
   * A message that does not go with the mode or the provider never reaches the wire: `rejected` with a {@link PushRefusal}.
   * Once `signal` aborts, what has not been sent comes back as `retry` with code `ABORTED` and what is under way is awaited.
   */
  send(mode: Mode, messages: readonly PushMessage[], signal?: AbortSignal): Promise<PushOutcome[]>;
  /** Refuses new messages (`retry`, code `CLOSED`), waits for those under way, then closes every connection. */
  close(): Promise<void>;
}
