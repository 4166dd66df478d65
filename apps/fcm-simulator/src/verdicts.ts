/** Decides what becomes of one message: sign-in, quota, faults, the message itself, the state of its token. */
import type { Bearers } from './bearers.ts';
import { ERRORS, type GoogleError } from './google-errors.ts';
import { Quota } from './quota.ts';
import { fixedChance, hashText, type Random } from './random.ts';
import { isError, readSendRequest, type SendRequest } from './send-request.ts';
import type { Settings } from './settings.ts';
import type { Unanswered } from './tally.ts';

/** Errors a token can be given for good. */
export const TOKEN_STATES = {
  UNREGISTERED: ERRORS.unregistered,
  INVALID_ARGUMENT: ERRORS.invalidToken,
  SENDER_ID_MISMATCH: ERRORS.senderMismatch,
  THIRD_PARTY_AUTH_ERROR: ERRORS.thirdPartyAuth,
} as const;
export type TokenState = keyof typeof TOKEN_STATES;

export type Verdict =
  | { readonly kind: 'error'; readonly error: GoogleError }
  | { readonly kind: 'accept' | Extract<Unanswered, 'timeout' | 'reset' | 'malformed'>; readonly request: SendRequest };

type Fault = keyof Settings['faults'];

/** Tokens given a state by hand at most. */
const MAX_STATES = 1_000_000;
const TOKEN_PURPOSE = 11;

export class Verdicts {
  readonly #tokenStates = new Map<string, TokenState | 'OK'>();
  readonly #quota: Quota;
  readonly #bearers: Bearers;
  readonly #random: Random;
  readonly #seed: number;
  #settings: Settings;

  constructor(settings: Settings, bearers: Bearers, random: Random, seed: number) {
    this.#settings = settings;
    this.#bearers = bearers;
    this.#random = random;
    this.#seed = seed;
    this.#quota = new Quota(settings.quotaPerMinute, performance.now());
  }

  configure(settings: Settings): void {
    if (settings.quotaPerMinute !== this.#settings.quotaPerMinute) {
      this.#quota.change(settings.quotaPerMinute, performance.now());
    }
    this.#settings = settings;
  }

  /** Gives the token a state that outranks the rates; 'OK' makes it a good one, undefined leaves it to the rates. */
  setTokenState(token: string, state: TokenState | 'OK' | undefined): void {
    if (state === undefined) this.#tokenStates.delete(token);
    else if (this.#tokenStates.size < MAX_STATES) this.#tokenStates.set(token, state);
  }

  /** What the request's headers alone already settle, for the project in its path. */
  atTheDoor(authorization: string | undefined, ownProject: boolean): GoogleError | undefined {
    if (this.#settings.down !== false) return ERRORS.unavailable;
    if (authorization === undefined) return ERRORS.missingBearer;
    if (!this.#bearers.accepts(authorization, Date.now())) return ERRORS.badBearer;
    return ownProject ? undefined : ERRORS.otherProject;
  }

  judge(body: string): Verdict {
    if (!this.#quota.take(performance.now())) return { kind: 'error', error: ERRORS.quota };
    const fault = this.#drawFault();
    const failure = faultError(fault);
    if (failure !== undefined) return { kind: 'error', error: failure };
    const request = readSendRequest(body);
    if (isError(request)) return { kind: 'error', error: request };
    const error = this.#tokenError(request.token);
    if (error !== undefined) return { kind: 'error', error };
    const kind = fault === 'timeout' || fault === 'reset' || fault === 'malformed' ? fault : 'accept';
    return { kind, request };
  }

  /** Whether a message whose answer was lost reaches its phone. */
  reachesPhoneAnyway(): boolean {
    return this.#random() < this.#settings.ambiguousDelivered;
  }

  #drawFault(): Fault | undefined {
    const { faults } = this.#settings;
    let draw = this.#random();
    let name: Fault;
    for (name in faults) {
      draw -= faults[name];
      if (draw < 0) return name;
    }
    return undefined;
  }

  #tokenError(token: string): GoogleError | undefined {
    const state = this.#tokenStates.get(token);
    if (state !== undefined) return state === 'OK' ? undefined : TOKEN_STATES[state];
    const { unregisteredRate, invalidRate, senderMismatchRate, thirdPartyAuthRate } = this.#settings;
    if (unregisteredRate + invalidRate + senderMismatchRate + thirdPartyAuthRate === 0) return undefined;
    let chance = fixedChance(hashText(token, 1), hashText(token, 2), TOKEN_PURPOSE, this.#seed);
    if ((chance -= unregisteredRate) < 0) return ERRORS.unregistered;
    if ((chance -= invalidRate) < 0) return ERRORS.invalidToken;
    if ((chance -= senderMismatchRate) < 0) return ERRORS.senderMismatch;
    return chance - thirdPartyAuthRate < 0 ? ERRORS.thirdPartyAuth : undefined;
  }
}

function faultError(fault: Fault | undefined): GoogleError | undefined {
  if (fault === 'unavailable') return ERRORS.unavailable;
  if (fault === 'internal') return ERRORS.internal;
  return fault === 'quota429' ? ERRORS.quota : undefined;
}
