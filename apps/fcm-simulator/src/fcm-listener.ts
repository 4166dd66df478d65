/** The HTTP/2 side: sessions, streams, GOAWAY, latency and answers. */
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate.ts';
import { Exchange, type Desk } from './exchange.ts';
import { FcmSession } from './fcm-session.ts';
import type { Settings } from './settings.ts';
import type { Tally } from './tally.ts';

/** What FCM allows on one connection. */
const MAX_CONCURRENT_STREAMS = 100;
const HOST = '127.0.0.1';
/** A sender whose requests time out resets many streams; the default of 33 a second would end its session. */
const STREAM_RESETS = { streamResetBurst: 1_000_000, streamResetRate: 1_000_000, maxSessionRejectedStreams: 1_000_000 };

export class FcmListener {
  readonly #sessions = new Map<ServerHttp2Session, FcmSession>();
  /** Also those still shaking hands. */
  readonly #sockets = new Set<Socket>();
  readonly #desk: Desk;
  readonly #tally: Tally;
  readonly #tls: Certificate;
  #settings: Settings;
  #server: Http2SecureServer | undefined;
  #port = 0;

  constructor(desk: Desk, tally: Tally, tls: Certificate, settings: Settings) {
    this.#desk = desk;
    this.#tally = tally;
    this.#tls = tls;
    this.#settings = settings;
  }

  /** Listens on the port, or on a free one for 0; resolves with the port. */
  async listen(port: number): Promise<number> {
    const options: SecureServerOptions & typeof STREAM_RESETS = {
      cert: this.#tls.cert,
      key: this.#tls.key,
      allowHTTP1: false,
      settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
      ...STREAM_RESETS,
    };
    const server = createSecureServer(options);
    for (const event of ['connection', 'secureConnection'] as const) {
      server.on(event, (socket: Socket) => this.#watch(socket));
    }
    server.on('session', (session) => this.#welcome(session));
    server.on('stream', (stream, headers) => this.#take(stream, headers));
    server.on('sessionError', ignore);
    server.on('tlsClientError', ignore);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this.#port;
  }

  /** Applies the settings; `down: 'refuse'` closes the port, anything else opens it again. */
  async configure(settings: Settings): Promise<void> {
    this.#settings = settings;
    for (const session of this.#sessions.values()) session.configure(settings);
    if (settings.down === 'refuse') await this.close();
    else if (this.#server === undefined) await this.listen(this.#port);
  }

  /** Breaks every connection without a GOAWAY, which ending the session would send. */
  dropSessions(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.dropSessions();
    await closed;
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #welcome(session: ServerHttp2Session): void {
    this.#tally.sessions++;
    this.#tally.openSessions++;
    this.#sessions.set(session, new FcmSession(session, this.#settings, this.#tally));
    session.on('error', ignore);
    session.once('close', () => {
      this.#tally.openSessions--;
      this.#sessions.delete(session);
    });
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', ignore);
    const session = stream.session === undefined ? undefined : this.#sessions.get(stream.session as ServerHttp2Session);
    if (session === undefined) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else new Exchange(stream, session, this.#desk, headers).start();
  }
}

/** A broken connection is the sender's to see; the stream's own end settles the books. */
function ignore(): void {
  return;
}
