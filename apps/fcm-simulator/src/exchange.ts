/** One request from its headers to its end, counted exactly once. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { FcmSession } from './fcm-session.ts';
import { ERRORS, type GoogleError } from './google-errors.ts';
import type { SendRequest } from './send-request.ts';
import type { Tally, Unanswered } from './tally.ts';
import type { Verdict, Verdicts } from './verdicts.ts';

/** What an exchange needs of the simulator. */
export interface Desk {
  readonly path: string;
  readonly project: string;
  readonly tally: Tally;
  readonly verdicts: Verdicts;
  /** Drawn anew for each message. */
  latencyMs(): number;
  retryAfterSeconds(): number;
  /** A fresh message name. */
  nextName(): string;
  /** Sends the message on its way to its phone; `answered` when the sender is told so. */
  deliver(request: SendRequest, answered: boolean): void;
}

/** A send is at most a few kilobytes. */
const MAX_BODY_BYTES = 64 * 1024;
const SEND_PATH = /^\/v1\/projects\/[^/]+\/messages:send(\?|$)/;
const CONTENT_TYPE = 'application/json; charset=UTF-8';
const OK_HEADERS = { ':status': 200, 'content-type': CONTENT_TYPE };
const BROKEN_BODY = '{"name":"projects/';

export class Exchange {
  readonly #stream: ServerHttp2Stream;
  readonly #session: FcmSession;
  readonly #desk: Desk;
  readonly #headers: IncomingHttpHeaders;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #settled = false;
  #judged = false;
  /** The message, from the moment it is known to be good until its answer. */
  #request: SendRequest | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: ServerHttp2Stream, session: FcmSession, desk: Desk, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.#session = session;
    this.#desk = desk;
    this.#headers = headers;
  }

  start(): void {
    this.#desk.tally.requests++;
    this.#desk.tally.unanswered.inFlight++;
    this.#stream.once('close', () => this.#closed());
    this.#session.opened();
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      this.#fail(refusal);
      return;
    }
    this.#stream.on('data', (chunk: Buffer) => this.#append(chunk));
    this.#stream.once('end', () => this.#judge());
  }

  #refusal(): GoogleError | undefined {
    const path = this.#headers[':path'] ?? '';
    const ownProject = path === this.#desk.path;
    if (this.#headers[':method'] !== 'POST' || !(ownProject || SEND_PATH.test(path))) return ERRORS.noSuchPath;
    return this.#desk.verdicts.atTheDoor(this.#headers.authorization, ownProject);
  }

  #append(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_BODY_BYTES) this.#chunks.push(chunk);
    else if (!this.#settled) this.#fail(ERRORS.bodyTooLarge);
  }

  #judge(): void {
    if (this.#settled || this.#judged) return;
    this.#judged = true;
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [];
    const verdict = this.#desk.verdicts.judge(body.toString('utf8'));
    if (verdict.kind !== 'error') this.#request = verdict.request;
    const latency = this.#desk.latencyMs();
    if (latency <= 0) this.#settle(verdict);
    else this.#timer = setTimeout(() => this.#settle(verdict), latency);
  }

  #settle(verdict: Verdict): void {
    if (this.#settled) return;
    if (verdict.kind === 'error') this.#fail(verdict.error);
    else if (verdict.kind === 'accept') this.#accept(verdict.request);
    else if (verdict.kind === 'malformed') {
      this.#lose(verdict.kind);
      this.#answer(OK_HEADERS, BROKEN_BODY);
    } else {
      this.#lose(verdict.kind);
      if (verdict.kind === 'reset') this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }

  #accept(request: SendRequest): void {
    this.#end();
    if (request.validateOnly) this.#desk.tally.validated++;
    else this.#desk.deliver(request, true);
    const id = request.validateOnly ? 'fake_message_id' : this.#desk.nextName();
    this.#answer(OK_HEADERS, `{"name":"projects/${this.#desk.project}/messages/${id}"}`);
  }

  #fail(error: GoogleError): void {
    this.#end();
    this.#desk.tally.error(error.code);
    const wait = this.#desk.retryAfterSeconds();
    const headers = {
      ':status': error.status,
      'content-type': CONTENT_TYPE,
      ...(error.retryable && wait > 0 && { 'retry-after': String(wait) }),
      ...(error.challenge && { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' }),
    };
    this.#answer(headers, error.body);
    this.#stream.resume();
  }

  /** The sender gets no usable answer; the message may reach its phone all the same. */
  #lose(how: Unanswered): void {
    this.#end();
    this.#desk.tally.unanswered[how]++;
    const request = this.#request;
    if (
      request !== undefined &&
      !request.validateOnly &&
      how !== 'refused' &&
      this.#desk.verdicts.reachesPhoneAnyway()
    ) {
      this.#desk.deliver(request, false);
    }
  }

  #end(): void {
    this.#settled = true;
    this.#desk.tally.unanswered.inFlight--;
    clearTimeout(this.#timer);
  }

  #answer(headers: Record<string, string | number>, body: string): void {
    if (this.#stream.destroyed || this.#stream.closed) return;
    this.#session.answered(this.#stream.id ?? 0);
    this.#stream.respond(headers);
    this.#stream.end(body);
  }

  #closed(): void {
    this.#session.closed();
    if (this.#settled) return;
    // GOAWAY closes the streams it disowns with this code: they were not processed, and the sender may send again.
    this.#lose(this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? 'refused' : 'aborted');
  }
}
