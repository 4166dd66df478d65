import { randomUUID } from 'node:crypto';
import { validateHeaderValue } from 'node:http';
import { deleteApp, initializeApp, type Credential } from 'firebase-admin/app';
import { inTime } from '#platform';

/** A token is not used in its last minute, or last fifth where it lives shorter than five. */
const MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.2;
/** How long a failure is remembered, so that a broken credential is not asked for once a message. */
const FAILURE_MS = 1000;

/** Where bearers come from. */
export type CredentialSource = () => Pick<Credential, 'getAccessToken'>;

/**
 * Google's Application Default Credentials (`GOOGLE_APPLICATION_CREDENTIALS`, or the machine's own account).
 * firebase-admin's `applicationDefault()` is one object for the process and keeps its token until it expires; an app of
 * one's own has a fresh one, which is the only way to a new token when Google refuses one before its time.
 */
export function applicationDefaultCredential(): Pick<Credential, 'getAccessToken'> {
  const app = initializeApp({}, `golden72-${randomUUID()}`);
  const { credential } = app.options;
  void deleteApp(app);
  if (credential === undefined) throw new Error('firebase-admin gave no application default credential');
  return credential;
}

interface Held {
  readonly authorization: string;
  readonly staleAtMs: number;
}

/** The `authorization` header: cached, fetched by one at a time, fetched anew once refused. */
export class Bearer {
  readonly #source: CredentialSource;
  readonly #timeoutMs: number;
  #credential: Pick<Credential, 'getAccessToken'> | undefined;
  #held: Held | undefined;
  #fetching: Promise<string> | undefined;
  #failedAtMs = -Infinity;

  constructor(source: CredentialSource, timeoutMs: number) {
    this.#source = source;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws where no token can be had within the time allowed, and for a second after */
  async authorization(): Promise<string> {
    if (this.#held !== undefined && Date.now() < this.#held.staleAtMs) return this.#held.authorization;
    if (Date.now() - this.#failedAtMs < FAILURE_MS) throw new Error('no access token a moment ago');
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  /** Forgets what Google refused, unless a newer one has replaced it already. */
  refused(authorization: string): void {
    if (this.#held?.authorization !== authorization) return;
    this.#held = undefined;
    this.#credential = undefined;
  }

  async #fetch(): Promise<string> {
    try {
      this.#credential ??= this.#source();
      const token = await inTime(this.#timeoutMs, 'no access token in time', this.#credential.getAccessToken());
      const livesMs = token.expires_in * 1000;
      const staleAtMs = Date.now() + livesMs - Math.min(MARGIN_MS, livesMs * MARGIN_SHARE);
      const authorization = `Bearer ${token.access_token}`;
      validateHeaderValue('authorization', authorization);
      this.#held = { authorization, staleAtMs };
      return authorization;
    } catch (error) {
      this.#failedAtMs = Date.now();
      this.#credential = undefined;
      throw error;
    }
  }
}
