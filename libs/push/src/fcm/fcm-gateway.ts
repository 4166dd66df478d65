import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { sendGuarded } from '../mode-guard.ts';
import type { Mode, PushGateway, PushMessage, PushOutcome } from '../push-gateway.ts';
import { applicationDefaultCredential, Bearer, type CredentialSource } from './bearer.ts';
import { Composer } from './composer.ts';
import { type Awaiting, Exchange } from './exchange.ts';
import { Pool, type ConnectionEvent, type PoolTuning } from './pool.ts';

const GOOGLE = 'https://fcm.googleapis.com';

const DEFAULTS: PoolTuning = {
  requestTimeoutMs: 10_000,
  connectTimeoutMs: 5000,
  pingEveryMs: 30_000,
  pingTimeoutMs: 5000,
  maxSessions: 16,
  patienceMs: 250,
  warmSessions: 1,
  reviewEveryMs: 60_000,
  backoffMs: 100,
  maxBackoffMs: 5000,
};

export type FcmEvent =
  | ConnectionEvent
  | { readonly event: 'no-credentials'; readonly reason: string }
  /** Messages of one call that were kept from the provider: they say that the wrong tokens or modes come here. */
  | { readonly event: 'refused'; readonly messages: number }
  /** A message met an error nobody foresaw. */
  | { readonly event: 'unexpected'; readonly reason: string };

/** Everything but the project has a default that suits Google's FCM. */
export interface FcmOptions extends Partial<PoolTuning> {
  /** Firebase project id: every token belongs to one. */
  readonly projectId: string;
  /** An https origin, to send through a relay or to a simulator; Google's by default. */
  readonly endpoint?: string;
  /** Path of a PEM file of certificate authorities trusted beside the usual ones. */
  readonly caFile?: string;
  /** Google's Application Default Credentials by default. */
  readonly credential?: CredentialSource;
  /** Told of connections, credentials and faults, for logs and metrics. Must not throw. */
  readonly onEvent?: (event: FcmEvent) => void;
}

/**
 * Firebase Cloud Messaging, HTTP v1. Connects and fetches a token at once, so that the first push waits for neither.
 * @throws {TypeError} where the endpoint is not an https origin; the file system's error where `caFile` cannot be read
 * @see https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
 */
export function createFcmGateway(options: FcmOptions): PushGateway {
  return new FcmGateway(options);
}

class FcmGateway implements PushGateway {
  readonly provider = 'fcm';
  readonly #reachesPeople: boolean;
  readonly #path: string;
  readonly #bearer: Bearer;
  readonly #pool: Pool;
  readonly #onEvent: (event: FcmEvent) => void;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Out of the caller's asynchronous context: Node would carry it along in every callback of every stream. */
  readonly #outside = AsyncLocalStorage.snapshot();

  constructor(options: FcmOptions) {
    const {
      projectId,
      endpoint = GOOGLE,
      caFile,
      credential = applicationDefaultCredential,
      onEvent = ignore,
    } = options;
    const origin = httpsOrigin(endpoint);
    this.#reachesPeople = isGoogle(origin.hostname);
    this.#path = `/v1/projects/${encodeURIComponent(projectId)}/messages:send`;
    this.#onEvent = onEvent;
    this.#bearer = new Bearer(credential, options.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs);
    this.#pool = new Pool(origin, secureContext(caFile), { ...DEFAULTS, ...options }, onEvent);
    if ((options.warmSessions ?? DEFAULTS.warmSessions) > 0) void this.#track(this.#authorization());
  }

  async send(mode: Mode, messages: readonly PushMessage[], signal?: AbortSignal): Promise<PushOutcome[]> {
    return sendGuarded(mode, this.#reachesPeople, messages, (allowed) => {
      const refused = messages.length - allowed.length;
      if (refused > 0) this.#onEvent({ event: 'refused', messages: refused });
      return this.#track(this.#sendAll(allowed, signal));
    });
  }

  async canSend(): Promise<boolean> {
    return (await this.#track(this.#authorization())) !== undefined;
  }

  async close(): Promise<void> {
    await this.#pool.close();
    await Promise.allSettled(this.#underWay);
  }

  async #sendAll(messages: readonly PushMessage[], signal: AbortSignal | undefined): Promise<PushOutcome[]> {
    if (messages.length === 0) return [];
    const authorization = await this.#authorization();
    if (authorization === undefined) return messages.map(() => retry('NO_CREDENTIALS'));
    if (signal?.aborted === true) return messages.map(() => retry('ABORTED'));
    const exchanges: Exchange[] = [];
    const withdraw = () => {
      for (const exchange of exchanges) if (this.#pool.withdraw(exchange)) exchange.settle(retry('ABORTED'));
    };
    signal?.addEventListener('abort', withdraw);
    try {
      return await this.#outside(() => this.#submitAll(messages, authorization, exchanges));
    } finally {
      signal?.removeEventListener('abort', withdraw);
    }
  }

  /** One promise for all: one each would cost as much as composing the message. */
  #submitAll(messages: readonly PushMessage[], authorization: string, exchanges: Exchange[]): Promise<PushOutcome[]> {
    const { promise, resolve } = Promise.withResolvers<PushOutcome[]>();
    const outcomes = new Array<PushOutcome>(messages.length);
    let open = messages.length;
    const awaiting: Awaiting = {
      path: this.#path,
      authorization,
      settle: (place, outcome, status) => {
        if (status === 401 && outcome.outcome === 'retry') this.#bearer.refused(authorization);
        outcomes[place] = outcome;
        if (--open === 0) resolve(outcomes);
      },
    };
    const composer = new Composer(Date.now());
    for (const [place, message] of messages.entries()) {
      const exchange = this.#submitOne(message, place, composer, awaiting);
      if (exchange) exchanges.push(exchange);
    }
    return promise;
  }

  /** @returns what may still be withdrawn; null where nothing was made of the message */
  #submitOne(message: PushMessage, place: number, composer: Composer, awaiting: Awaiting): Exchange | null {
    let exchange: Exchange | null = null;
    try {
      const composed = composer.compose(message);
      if (composed === null) {
        awaiting.settle(place, { outcome: 'rejected', code: 'PAYLOAD_TOO_LARGE' }, undefined);
        return null;
      }
      exchange = new Exchange(composed, awaiting, place);
      this.#pool.submit(exchange);
    } catch (error) {
      const outcome = this.#unexpected(error, exchange);
      if (exchange) exchange.settle(outcome);
      else awaiting.settle(place, outcome, undefined);
    }
    return exchange;
  }

  /** What one message met must not take the outcomes of those already sent with it. */
  #unexpected(error: unknown, exchange: Exchange | null): PushOutcome {
    // Its message may quote the push.
    this.#onEvent({ event: 'unexpected', reason: nameOf(error) });
    if (exchange) this.#pool.withdraw(exchange);
    return { outcome: exchange?.started === true ? 'unknown' : 'retry', code: 'UNEXPECTED' };
  }

  async #authorization(): Promise<string | undefined> {
    try {
      return await this.#bearer.authorization();
    } catch (error) {
      // Its message may quote the credential.
      this.#onEvent({ event: 'no-credentials', reason: nameOf(error) });
      return undefined;
    }
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }
}

/** Accepting anything but TLS would send tokens and bearers in the clear. */
function httpsOrigin(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol === 'https:' && url.pathname === '/') return url;
  throw new TypeError(`not an https origin: ${endpoint}`);
}

function isGoogle(hostname: string): boolean {
  return /(^|\.)(googleapis|google)\.(com|cn)\.?$/.test(hostname);
}

/** Made once: reading the authorities anew for each connection costs several milliseconds. */
function secureContext(caFile: string | undefined): SecureContext {
  if (caFile === undefined) return createSecureContext();
  return createSecureContext({ ca: [...getCACertificates('default'), readFileSync(caFile, 'utf8')] });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

function retry(code: string): PushOutcome {
  return { outcome: 'retry', code };
}

function ignore(): void {}
