import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { PushOutcome } from '../push-gateway.ts';
import { outcomeOf } from './answer.ts';

/** FCM's answers are a few hundred bytes; whatever is longer is none. */
const ANSWER_LIMIT_BYTES = 65_536;

/** Whoever waits for the messages of one call. */
export interface Awaiting {
  readonly path: string;
  readonly authorization: string;
  /**
   * Called once for each message.
   * @param place the message's among those of the call
   * @param status HTTP status, where an answer began
   */
  settle(place: number, outcome: PushOutcome, status: number | undefined): void;
}

/** The session that a stream belongs to. */
export interface StreamOwner {
  /** Streams above this one the server has not acted on. */
  readonly refusedAbove: number;
  /** The stream has let go of its place in the session. */
  ended(exchange: Exchange): void;
}

/** One message on its way: from the request's body to exactly one verdict. A million of them are made: it holds no closure. */
export class Exchange {
  /** The request's body. */
  readonly body: Buffer;
  readonly #awaiting: Awaiting;
  readonly #place: number;
  #settled = false;
  #stream: ClientHttp2Stream | undefined;
  #status: number | undefined;
  #retryAfter: string | undefined;
  #answer: Buffer | undefined;
  #silent = false;

  constructor(body: Buffer, awaiting: Awaiting, place: number) {
    this.body = body;
    this.#awaiting = awaiting;
    this.#place = place;
  }

  get path(): string {
    return this.#awaiting.path;
  }

  get authorization(): string {
    return this.#awaiting.authorization;
  }

  /** Whether a stream was opened for it: it may have been sent. */
  get started(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether an answer began. */
  get answered(): boolean {
    return this.#status !== undefined;
  }

  /** Whether the stream ended without an answer and without the server refusing it. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Follows the stream to its end. */
  follow(stream: ClientHttp2Stream, owner: StreamOwner): void {
    this.#stream = stream;
    stream.on('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
      this.#status = headers[':status'];
      this.#retryAfter = headers['retry-after'];
    });
    stream.on('data', (bytes: Buffer) => this.#read(bytes));
    // Whatever went wrong, 'close' follows and tells.
    stream.on('error', ignore);
    stream.on('close', () => {
      this.#end(stream, owner.refusedAbove);
      owner.ended(this);
    });
    stream.end(this.body);
  }

  /** Gives up waiting: the stream is reset and the message may have been delivered, unless an error had come. */
  timeOut(): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    if (this.#status === undefined || this.#status < 300) this.settle({ outcome: 'unknown', code: 'TIMEOUT' });
  }

  /** The first verdict stands. */
  settle(outcome: PushOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#awaiting.settle(this.#place, outcome, this.#status);
  }

  #read(bytes: Buffer): void {
    // Answers come in one piece nearly always.
    this.#answer = this.#answer === undefined ? bytes : Buffer.concat([this.#answer, bytes]);
    if (this.#answer.length > ANSWER_LIMIT_BYTES) this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #end(stream: ClientHttp2Stream, refusedAbove: number): void {
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || (stream.id ?? 0) > refusedAbove;
    this.#silent = this.#status === undefined && !refused;
    if (this.#settled) return;
    const end = {
      sent: stream.id !== undefined,
      refused,
      status: this.#status,
      retryAfter: this.#retryAfter,
      body: this.#answer?.toString('utf8') ?? '',
      resetCode: stream.rstCode ?? constants.NGHTTP2_NO_ERROR,
    };
    this.settle(outcomeOf(end, Date.now()));
  }
}

function ignore(): void {}
