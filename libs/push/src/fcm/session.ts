import { connect, type ClientHttp2Session, type ClientHttp2Stream, type Settings } from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { Deadlines } from './deadlines.ts';
import type { Exchange, StreamOwner } from './exchange.ts';

/** What FCM allows on one connection, and what is opened even where a server allows more. */
export const STREAMS_PER_SESSION = 100;

const HEADERS = [':method', 'POST', ':scheme', 'https', 'content-type', 'application/json'];

export interface SessionTuning {
  /** An answer that takes longer is given up. */
  readonly requestTimeoutMs: number;
  /** TCP, TLS and the server's SETTINGS together. */
  readonly connectTimeoutMs: number;
  /** How often a quiet connection is asked whether it lives. */
  readonly pingEveryMs: number;
  readonly pingTimeoutMs: number;
}

/** Told by a session what it became. */
export interface SessionOwner {
  opened(session: Session): void;
  /** A stream has ended, or a doubted connection has answered. */
  hasRoomAgain(session: Session): void;
  /** No more requests go here: the server said so, or the connection ended. Said once. */
  retired(session: Session, reason: string): void;
  /** Nothing is left of it. */
  closed(session: Session): void;
}

/** One long-lived HTTP/2 connection and the requests on it. */
export class Session implements StreamOwner {
  readonly #socket: TLSSocket;
  readonly #http2: ClientHttp2Session;
  readonly #owner: SessionOwner;
  readonly #tuning: SessionTuning;
  /** What all requests have in common, names and values by turns: Node takes them as they are, an object it would copy and read again. */
  readonly #headers: readonly string[];
  readonly #underWay: Deadlines<Exchange>;
  readonly #connectTimer: NodeJS.Timeout;
  readonly #pingTimer: NodeJS.Timeout;
  #streams = 0;
  #limit = 0;
  refusedAbove = Infinity;
  #retired = false;
  #doubted = false;
  #pinging = false;
  #farewellTimer: NodeJS.Timeout | undefined;
  #requestsAtLastPing = 0;
  #requests = 0;
  /** Whether the server did anything for it: a connection that never served counts as failed. */
  proven = false;

  constructor(origin: URL, secureContext: SecureContext, tuning: SessionTuning, owner: SessionOwner) {
    this.#owner = owner;
    this.#tuning = tuning;
    this.#headers = [...HEADERS, ':authority', origin.host];
    this.#underWay = new Deadlines(tuning.requestTimeoutMs, (exchange) => this.#overdue(exchange));
    this.#socket = openSocket(origin, secureContext);
    this.#http2 = connect(origin, { createConnection: () => this.#socket, settings: { enablePush: false } });
    this.#connectTimer = setTimeout(() => this.#destroy('CONNECT_TIMEOUT'), tuning.connectTimeoutMs);
    this.#pingTimer = setInterval(() => this.#keepAlive(), tuning.pingEveryMs).unref();
    this.#listen();
  }

  get opened(): boolean {
    return this.#limit > 0;
  }

  get hasRoom(): boolean {
    const open = !this.#retired && !this.#http2.closed && !this.#http2.destroyed;
    return open && !this.#doubted && this.#streams < this.#limit;
  }

  get idle(): boolean {
    return this.#streams === 0;
  }

  /** Only where `hasRoom`. */
  start(exchange: Exchange): void {
    const stream = this.#open(exchange);
    if (stream === null) return;
    this.#streams++;
    this.#requests++;
    this.#underWay.add(exchange);
    exchange.follow(stream, this);
  }

  /** `null` where the session takes no request after all: nothing was sent, and it is of no use to the next one either. */
  #open(exchange: Exchange): ClientHttp2Stream | null {
    try {
      return this.#http2.request(this.#headersFor(exchange));
    } catch (error) {
      exchange.settle({ outcome: 'retry', code: 'NOT_SENT' });
      this.retire(codeOf(error));
      return null;
    }
  }

  #headersFor({ path, authorization, body }: Exchange): string[] {
    return [...this.#headers, ':path', path, 'authorization', authorization, 'content-length', `${body.length}`];
  }

  /** Takes no more requests and closes once those under way have ended. */
  retire(reason: string): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#owner.retired(this, reason);
    this.#closeWhenIdle();
  }

  #listen(): void {
    this.#http2.on('remoteSettings', (settings: Settings) => {
      const opening = !this.opened;
      this.#limit = Math.min(settings.maxConcurrentStreams ?? STREAMS_PER_SESSION, STREAMS_PER_SESSION);
      clearTimeout(this.#connectTimer);
      if (opening && !this.#retired) this.#owner.opened(this);
    });
    this.#http2.on('goaway', (_code: number, lastStreamId: number) => {
      this.proven ||= this.#requests > 0;
      this.refusedAbove = Math.min(this.refusedAbove, lastStreamId);
      this.retire('GOAWAY');
    });
    this.#http2.on('error', (error) => this.retire(codeOf(error)));
    this.#http2.on('close', () => this.#closed());
  }

  ended(exchange: Exchange): void {
    this.#streams--;
    this.#underWay.delete(exchange);
    this.proven ||= exchange.answered;
    // It may be the first of all to go with the connection.
    if (exchange.silent) this.#doubt();
    this.#owner.hasRoomAgain(this);
    if (this.#retired) this.#closeWhenIdle();
  }

  #overdue(exchange: Exchange): void {
    exchange.timeOut();
    this.#doubt();
  }

  /** Gives the connection nothing new until it shows that it lives. */
  #doubt(): void {
    this.#doubted = true;
    this.#ping();
  }

  #ping(): void {
    if (this.#pinging || this.#http2.destroyed || !this.opened) return;
    this.#pinging = true;
    const timer = setTimeout(() => this.#destroy('PING_TIMEOUT'), this.#tuning.pingTimeoutMs).unref();
    this.#http2.ping((error) => {
      clearTimeout(timer);
      this.#pinging = false;
      if (error !== null) return;
      this.#doubted = false;
      this.proven = true;
      this.#owner.hasRoomAgain(this);
    });
  }

  #keepAlive(): void {
    const quiet = this.#requests === this.#requestsAtLastPing;
    this.#requestsAtLastPing = this.#requests;
    if (quiet) this.#ping();
  }

  #destroy(reason: string): void {
    this.retire(reason);
    this.#leave();
  }

  #closeWhenIdle(): void {
    if (this.idle) this.#leave();
  }

  /** After a GOAWAY Node waits for the other side to close too, which the dead never do. */
  #leave(): void {
    this.#farewellTimer ??= setTimeout(() => this.#socket.destroy(), this.#tuning.pingTimeoutMs);
    this.#http2.destroy();
  }

  #closed(): void {
    // First, for it begins to take leave.
    this.retire('CLOSED_BY_SERVER');
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#farewellTimer);
    clearInterval(this.#pingTimer);
    this.#underWay.stop();
    this.#owner.closed(this);
  }
}

/** Its message may quote a header. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function openSocket(origin: URL, secureContext: SecureContext): TLSSocket {
  const host = origin.hostname.replace(/^\[|\]$/g, '');
  const port = origin.port === '' ? 443 : Number(origin.port);
  const named = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ...named, secureContext, ALPNProtocols: ['h2'] });
}
