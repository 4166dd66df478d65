import { readFileSync } from 'node:fs';
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { Inject, Injectable, type OnApplicationShutdown, Optional } from '@nestjs/common';
import { Agent, type Dispatcher, request as send } from 'undici';
import { ENV, type Env } from './env.ts';
import { isPublicAddress } from './outbound-address.ts';

/** Milliseconds for one call, from the name's resolution to the answer's last byte. */
const CALL_MS = 10_000;
/** Bytes of an answer: an identity provider's keys are some kilobytes. */
const ANSWER_BYTES = 1024 * 1024;

/** Injection token of a resolver other than the system's. */
export const OUTBOUND_LOOKUP = Symbol('OUTBOUND_LOOKUP');

export type OutboundFault = 'url_barred' | 'address_barred' | 'redirected' | 'answer_too_large';

/** A call to the outside that is not made, or whose answer is not taken. A fault of the settings, or an attack; not for clients. */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';

  constructor(
    readonly code: OutboundFault,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The only way out of our processes, besides the push provider's own sessions: https to public addresses on port 443. The
 * address is judged when the connection is made, so that a name cannot answer one thing to the check and another to the
 * call. No redirects; bounded in bytes and time. What stands in `OUTBOUND_ALLOW` may be private and have another port.
 */
@Injectable()
export class Outbound implements OnApplicationShutdown {
  private readonly allowed: ReadonlySet<string>;
  private readonly guarded: Agent;
  private readonly trusting: Agent;

  constructor(
    @Inject(ENV) env: Pick<Env, 'OUTBOUND_ALLOW' | 'OUTBOUND_CA'>,
    @Optional() @Inject(OUTBOUND_LOOKUP) private readonly resolve: LookupFunction = systemLookup,
  ) {
    this.allowed = new Set(env.OUTBOUND_ALLOW);
    const ca = env.OUTBOUND_CA && [...rootCertificates, readFileSync(env.OUTBOUND_CA, 'utf8')];
    const trust = { timeout: CALL_MS, ...(ca && { ca }) };
    this.guarded = new Agent({ connect: { ...trust, lookup: (...asked) => this.lookupPublic(...asked) } });
    this.trusting = new Agent({ connect: { ...trust, lookup: resolve } });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.guarded.destroy(), this.trusting.destroy()]);
  }

  /**
   * As the global `fetch`, and to be given to packages that take one of their own.
   * @throws OutboundError, or whatever undici throws for a server that does not answer
   */
  readonly fetch = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
    const target = new URL(url);
    const dispatcher = this.wayTo(target);
    const asked = new Request(target, init);
    const body = init.body === undefined || init.body === null ? null : Buffer.from(await asked.arrayBuffer());
    const answer = await send(target, {
      dispatcher,
      method: asked.method,
      headers: { ...Object.fromEntries(asked.headers), 'accept-encoding': 'identity' },
      body,
      signal: AbortSignal.any([asked.signal, AbortSignal.timeout(CALL_MS)]),
    });
    return bounded(answer);
  };

  private wayTo({ protocol, username, password, hostname, port }: URL): Agent {
    if (protocol !== 'https:') throw barred('only https is spoken to the outside');
    if (username || password) throw barred('credentials do not belong into an address');
    if (this.allowed.has(`${hostname}:${port || '443'}`)) return this.trusting;
    if (port) throw barred(`port ${port} is not in OUTBOUND_ALLOW`);
    // The URL parser has made dotted numbers of 2130706433, 0x7f.1 and 0177.1 by now, and refuses IPv6 zones.
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    // A numeric address is connected to without a look-up.
    if (isIP(host) && !isPublicAddress(host)) throw addressBarred(host);
    return this.guarded;
  }

  /** One address that is not public bars the whole name: no honest name has both kinds. */
  private lookupPublic(...[name, options, done]: Parameters<LookupFunction>): void {
    this.resolve(name, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '', 0);
      const addresses = found as unknown as LookupAddress[];
      const [first] = addresses;
      if (!first || !addresses.every(({ address }) => isPublicAddress(address)))
        return done(addressBarred(name), '', 0);
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
  }
}

/** The whole answer, in memory: nothing of it is given on before it has proved to be small. */
async function bounded(answer: Dispatcher.ResponseData): Promise<Response> {
  const { statusCode: status, headers, body } = answer;
  if (status >= 300 && status < 400 && status !== 304) {
    body.on('error', () => undefined).destroy();
    throw new OutboundError('redirected', `the server answered ${status}: redirects are not followed`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the body and with it the connection.
    if (bytes > ANSWER_BYTES) throw new OutboundError('answer_too_large', `the answer is over ${ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((line): [string, string] => [name, line]),
  );
  return new Response([204, 205, 304].includes(status) ? null : Buffer.concat(chunks), { status, headers: lines });
}

function barred(why: string): OutboundError {
  return new OutboundError('url_barred', `This address is not called: ${why}.`);
}

function addressBarred(name: string): OutboundError {
  return new OutboundError('address_barred', `${name} is not called: it is not a public address.`);
}
