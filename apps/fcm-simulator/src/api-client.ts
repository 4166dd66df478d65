/** The phones' way to the api: HTTP/1.1 kept alive on a bounded number of connections, with polite retries. */
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

const CONNECTIONS = 16;
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;
const TIMEOUT_MS = 20_000;
/** Enough for a forward's answer; the rest of a page is read and thrown away. */
const KEPT_BYTES = 64 * 1024;
const RETRIED = new Set([429, 502, 503, 504]);

export class ApiClient {
  readonly #base: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #stop = new AbortController();
  readonly #waiting: (() => void)[] = [];
  #active = 0;
  #people = 0;

  constructor(base: string) {
    this.#base = new URL(base.endsWith('/') ? base : `${base}/`);
  }

  /** The answer, or undefined when it was refused or not to be had within the attempts. */
  post(path: string, body: unknown): Promise<Answer | undefined> {
    const text = JSON.stringify(body);
    const headers = {
      ...this.#behindProxy(),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    };
    return this.#withRetries('POST', new URL(path, this.#base), headers, text);
  }

  /** Opens a page as a person's browser would. */
  open(url: string, userAgent: string): Promise<Answer | undefined> {
    const headers = {
      ...this.#behindProxy(),
      'user-agent': userAgent,
      accept: 'text/html',
      'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8',
    };
    return this.#withRetries('GET', this.#nearby(url), headers);
  }

  /**
   * Everyone has an address of their own, as a proxy in front of the api would tell: of RFC 2544's range for tests. An api that
   * trusts no proxy does not look at it.
   */
  #behindProxy(): OutgoingHttpHeaders {
    const n = this.#people++;
    return { 'x-forwarded-for': `198.${18 + ((n >> 16) & 1)}.${(n >> 8) & 255}.${n & 255}` };
  }

  close(): void {
    this.#stop.abort();
    this.#agent.destroy();
    for (const go of this.#waiting.splice(0)) go();
  }

  /** A page's public address may be on a host that is not here: then the api serves it. */
  #nearby(url: string): URL {
    const target = new URL(url, this.#base);
    const local = ['localhost', '127.0.0.1', '[::1]', this.#base.hostname].includes(target.hostname);
    return local && target.protocol === 'http:' ? target : new URL(target.pathname + target.search, this.#base);
  }

  async #withRetries(
    method: string,
    url: URL,
    headers: OutgoingHttpHeaders,
    body?: string,
  ): Promise<Answer | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS && !this.#stop.signal.aborted; attempt++) {
      const { answer, waitMs } = await this.#inTurn(() => this.#once(method, url, headers, body));
      if (answer !== undefined && answer.status < 300) return answer;
      if (answer !== undefined && !RETRIED.has(answer.status)) return undefined;
      const wait = Math.min(LONGEST_WAIT_MS, waitMs ?? FIRST_WAIT_MS * 2 ** attempt);
      if (attempt < ATTEMPTS - 1) await delay(wait, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#active >= CONNECTIONS) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#active++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#active--;
      else next();
    }
  }

  #once(
    method: string,
    url: URL,
    headers: OutgoingHttpHeaders,
    body: string | undefined,
  ): Promise<{ answer?: Answer; waitMs?: number | undefined }> {
    return new Promise((resolve) => {
      const signal = this.#stop.signal;
      const sent = request(url, { method, headers, agent: this.#agent, timeout: TIMEOUT_MS, signal }, (response) => {
        read(response).then(
          (text) => resolve({ answer: { status: response.statusCode ?? 0, body: text }, waitMs: retryAfter(response) }),
          () => resolve({}),
        );
      });
      sent.on('timeout', () => sent.destroy(new Error('timeout')));
      sent.on('error', () => resolve({}));
      sent.end(body);
    });
  }
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (bytes < KEPT_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Milliseconds named by `Retry-After`, as seconds or as a date. */
function retryAfter(response: IncomingMessage): number | undefined {
  const value = response.headers['retry-after'];
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
