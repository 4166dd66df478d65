import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { PushOutcome } from '../push-gateway.ts';
import { outcomeOf } from './answer.ts';

/** FCM's answers are a few hundred bytes; whatever is longer is none. */
const ANSWER_LIMIT_BYTES = 65_536;

/** What of an exchange is known beside its stream. */
export interface Verdict {
  readonly outcome: PushOutcome;
  /** HTTP status, where an answer began. */
  readonly status: number | undefined;
}

/** One message on its way: from the request's body to exactly one verdict. */
export class Exchange {
  readonly path: string;
  readonly authorization: string;
  readonly json: string;
  /** UTF-8 bytes of `json`. */
  readonly bytes: number;
  readonly #settle: (verdict: Verdict) => void;
  #settled = false;
  #stream: ClientHttp2Stream | undefined;
  #status: number | undefined;
  #retryAfter: string | undefined;
  #body: Buffer | undefined;
  #silent = false;

  constructor(
    request: { path: string; authorization: string; json: string; bytes: number },
    settle: (verdict: Verdict) => void,
  ) {
    this.path = request.path;
    this.authorization = request.authorization;
    this.json = request.json;
    this.bytes = request.bytes;
    this.#settle = settle;
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

  /** Follows the stream to its end. @param onClose called once the stream has let go of its place in the session */
  follow(stream: ClientHttp2Stream, refusedAbove: () => number, onClose: () => void): void {
    this.#stream = stream;
    stream.on('response', (headers: IncomingHttpHeaders & { ':status'?: number }) => {
      this.#status = headers[':status'];
      this.#retryAfter = headers['retry-after'];
    });
    stream.on('data', (bytes: Buffer) => this.#read(bytes));
    // Whatever went wrong, 'close' follows and tells.
    stream.on('error', ignore);
    stream.on('close', () => {
      this.#end(stream, refusedAbove());
      onClose();
    });
    stream.end(this.json);
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
    this.#settle({ outcome, status: this.#status });
  }

  #read(bytes: Buffer): void {
    // Answers come in one piece nearly always.
    this.#body = this.#body === undefined ? bytes : Buffer.concat([this.#body, bytes]);
    if (this.#body.length > ANSWER_LIMIT_BYTES) this.#stream?.close(constants.NGHTTP2_CANCEL);
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
      body: this.#body?.toString('utf8') ?? '',
      resetCode: stream.rstCode ?? constants.NGHTTP2_NO_ERROR,
    };
    this.settle(outcomeOf(end, Date.now()));
  }
}

function ignore(): void {}
