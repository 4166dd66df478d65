import { performance } from 'node:perf_hooks';
import type { SecureContext } from 'node:tls';
import type { PushOutcome } from '../push-gateway.ts';
import { Deadlines } from './deadlines.ts';
import type { Exchange } from './exchange.ts';
import { Session, STREAMS_PER_SESSION, type SessionOwner, type SessionTuning } from './session.ts';

export interface PoolTuning extends SessionTuning {
  /** Connections at most: each carries 100 messages at a time. */
  readonly maxSessions: number;
  /** Another connection is opened once messages have waited so long for room on those there are. */
  readonly patienceMs: number;
  /** Connections kept open without need, so that the first push of an alert waits for no handshake. */
  readonly warmSessions: number;
  /** How often a connection beyond the warm ones that was not used is closed. */
  readonly reviewEveryMs: number;
  /** Wait after the first failed connection; doubles up to the maximum, its upper half drawn at random. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/** The share of its time that this process's event loop works, from which on it waits for itself more than for a server. */
const BUSY = 0.8;

/** What operators want to know of the connections. Nothing of any message. */
export type ConnectionEvent =
  { readonly event: 'opened' } | { readonly event: 'retired'; readonly reason: string; readonly opened: boolean };

/**
 * HTTP/2 sessions to one origin: opened when messages keep waiting for room, filled one after the other, replaced when the
 * server retires them. Few and full ones cost least: what goes out together is written together. While none can be had, messages come back at once, to be sent again after the backoff.
 */
export class Pool implements SessionOwner {
  readonly #origin: URL;
  readonly #secureContext: SecureContext;
  readonly #tuning: PoolTuning;
  readonly #onEvent: (event: ConnectionEvent) => void;
  /** In the order they came; those still connecting among them. */
  readonly #sessions: Session[] = [];
  /** Retired ones that still have requests under way or a socket. */
  readonly #leaving = new Set<Session>();
  readonly #waiting: Deadlines<Exchange>;
  readonly #drained = Promise.withResolvers<void>();
  readonly #reviewTimer: NodeJS.Timeout;
  readonly #usedSinceReview = new WeakSet<Session>();
  #failures = 0;
  #notBefore = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #patienceTimer: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(
    origin: URL,
    secureContext: SecureContext,
    tuning: PoolTuning,
    onEvent: (event: ConnectionEvent) => void,
  ) {
    this.#origin = origin;
    this.#secureContext = secureContext;
    this.#tuning = tuning;
    this.#onEvent = onEvent;
    this.#waiting = new Deadlines(tuning.requestTimeoutMs, (exchange) => exchange.settle(retry('NO_ROOM')));
    this.#reviewTimer = setInterval(() => this.#closeUnused(), tuning.reviewEveryMs).unref();
    this.#grow();
  }

  submit(exchange: Exchange): void {
    if (this.#closing) return exchange.settle(retry('CLOSED'));
    const session = this.#sessions.find((candidate) => candidate.hasRoom);
    if (session !== undefined) return this.#start(session, exchange);
    this.#waiting.add(exchange);
    if (this.#sessions.length === 0) this.#grow();
    else this.#growWhenLate();
  }

  /** Takes back a message that no session has taken yet. */
  withdraw(exchange: Exchange): boolean {
    return this.#waiting.delete(exchange);
  }

  /** Waits for what is under way; what still waits for a session comes back. */
  close(): Promise<void> {
    if (this.#closing) return this.#drained.promise;
    this.#closing = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#patienceTimer);
    clearInterval(this.#reviewTimer);
    this.#returnWaiting(retry('CLOSED'));
    this.#waiting.stop();
    for (const session of [...this.#sessions]) session.retire('CLOSED');
    this.#resolveWhenDrained();
    return this.#drained.promise;
  }

  opened(session: Session): void {
    this.#onEvent({ event: 'opened' });
    this.hasRoomAgain(session);
    // It may allow fewer streams than was reckoned with.
    if (this.#waiting.size > 0) this.#growWhenLate();
  }

  hasRoomAgain(session: Session): void {
    if (session.proven) this.#failures = 0;
    while (session.hasRoom) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#start(session, next);
    }
  }

  retired(session: Session, reason: string): void {
    const at = this.#sessions.indexOf(session);
    if (at >= 0) this.#sessions.splice(at, 1);
    this.#leaving.add(session);
    this.#onEvent({ event: 'retired', reason, opened: session.opened });
    if (this.#closing) return;
    if (!session.proven) this.#backOff(session);
    this.#grow();
  }

  closed(session: Session): void {
    this.#leaving.delete(session);
    this.#resolveWhenDrained();
  }

  #start(session: Session, exchange: Exchange): void {
    this.#usedSinceReview.add(session);
    session.start(exchange);
  }

  /**
   * A server that answers soon serves many on few connections; a far one needs more of them. Where this process is what has no
   * time, more requests under way would only cost more: each is moved about in memory for as long as it lives.
   */
  #growWhenLate(): void {
    if (this.#patienceTimer) return;
    const before = performance.eventLoopUtilization();
    this.#patienceTimer = setTimeout(() => {
      this.#patienceTimer = undefined;
      const { utilization } = performance.eventLoopUtilization(before);
      if (this.#waiting.longestMs >= this.#tuning.patienceMs && utilization < BUSY) this.#grow();
      if (this.#waiting.size > 0 && this.#sessions.length < this.#tuning.maxSessions) this.#growWhenLate();
    }, this.#tuning.patienceMs).unref();
  }

  /** Opens what the waiting messages and the warm ones need, as far as bound and backoff allow. */
  #grow(): void {
    const connecting = this.#sessions.filter((session) => !session.opened).length;
    const needed = Math.ceil(this.#waiting.size / STREAMS_PER_SESSION) - connecting;
    const missing = Math.max(needed, this.#tuning.warmSessions - this.#sessions.length);
    // Twice as many at most: whether they help shows before the next.
    const room = Math.min(this.#tuning.maxSessions, Math.max(1, this.#sessions.length) * 2) - this.#sessions.length;
    const toOpen = Math.min(missing, room);
    if (toOpen <= 0) return;
    const waitMs = this.#notBefore - performance.now();
    if (waitMs > 0) return this.#growLater(waitMs);
    for (let i = 0; i < toOpen; i++) {
      this.#sessions.push(new Session(this.#origin, this.#secureContext, this.#tuning, this));
    }
  }

  #growLater(waitMs: number): void {
    if (this.#sessions.length === 0) this.#returnWaiting(retry('UNREACHABLE', Math.ceil(waitMs)));
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#grow();
    }, waitMs).unref();
  }

  /** A connection that was open and broke is replaced at once, but not twice in a row. What fails together counts once. */
  #backOff(session: Session): void {
    if (performance.now() < this.#notBefore) return;
    const failures = this.#failures++;
    if (session.opened && failures === 0) return;
    const ms = Math.min(this.#tuning.backoffMs * 2 ** failures, this.#tuning.maxBackoffMs);
    this.#notBefore = performance.now() + ms * (0.5 + Math.random() / 2);
  }

  #returnWaiting(outcome: PushOutcome): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next.settle(outcome);
  }

  #closeUnused(): void {
    for (const session of this.#sessions.slice(this.#tuning.warmSessions)) {
      if (session.opened && session.idle && !this.#usedSinceReview.has(session)) session.retire('UNUSED');
      this.#usedSinceReview.delete(session);
    }
  }

  #resolveWhenDrained(): void {
    if (this.#closing && this.#sessions.length === 0 && this.#leaving.size === 0) this.#drained.resolve();
  }
}

function retry(code: string, afterMs?: number): PushOutcome {
  return afterMs === undefined ? { outcome: 'retry', code } : { outcome: 'retry', code, afterMs };
}
