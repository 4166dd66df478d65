/** A simulator of its own for each test, a bare HTTP/2 sender and a small stand-in for the api. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders as Http1Headers, type Server } from 'node:http';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator, type Simulator, type SimulatorOptions } from '../apps/fcm-simulator/src/simulator.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
/** The stream ended without an answer. */
export interface Broken {
  readonly status: 0;
  /** HTTP/2 error code of the stream. */
  readonly code: number;
}

const cleanups: (() => Promise<void>)[] = [];
let tests = 0;

/** Ends what the test started, newest first. */
export async function cleanUp(): Promise<void> {
  tests++;
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

export function onCleanUp(clean: () => Promise<void>): void {
  cleanups.push(clean);
}

/** One directory for all, so that the certificate is made once; removed by {@link removeScratch}. */
let scratch: Promise<string> | undefined;
export function scratchDir(): Promise<string> {
  scratch ??= mkdtemp(join(tmpdir(), 'fcm-simulator-'));
  return scratch;
}
export async function removeScratch(): Promise<void> {
  if (scratch !== undefined) await rm(await scratch, { recursive: true, force: true });
}

export async function simulator(options: Omit<SimulatorOptions, 'dir'> = {}): Promise<Simulator> {
  const started = await startSimulator({ dir: await scratchDir(), ...options });
  onCleanUp(() => started.close());
  return started;
}

/** A sender on one session. */
export class Sender {
  readonly session: ClientHttp2Session;
  readonly #path: string;
  readonly #bearer: string;

  private constructor(session: ClientHttp2Session, path: string, bearer: string) {
    this.session = session;
    this.#path = path;
    this.#bearer = bearer;
  }

  static async to(target: Simulator): Promise<Sender> {
    const session = connect(target.fcmUrl, { ca: readFileSync(target.caPath) });
    await new Promise<void>((resolve, reject) => {
      session.once('remoteSettings', () => resolve());
      session.once('error', reject);
    });
    session.on('error', () => undefined);
    onCleanUp(() => Promise.resolve(session.destroy()));
    const path = `/v1/projects/${target.project}/messages:send`;
    return new Sender(session, path, target.issueBearer());
  }

  send(message: object, headers: Record<string, string> = {}): Promise<Answer | Broken> {
    return this.raw(JSON.stringify({ message }), headers);
  }

  raw(body: string, headers: Record<string, string> = {}): Promise<Answer | Broken> {
    const authorization = `Bearer ${this.#bearer}`;
    return new Promise((resolve) => {
      const stream = this.session.request({ ':method': 'POST', ':path': this.#path, authorization, ...headers });
      let answered: IncomingHttpHeaders | undefined;
      let text = '';
      stream.setEncoding('utf8');
      stream.on('response', (received) => (answered = received));
      stream.on('data', (chunk: string) => (text += chunk));
      stream.on('error', () => undefined);
      stream.on('close', () => {
        if (answered === undefined) resolve({ status: 0, code: stream.rstCode ?? 0 });
        else resolve({ status: Number(answered[':status']), headers: answered, text });
      });
      stream.end(body);
    });
  }
}

/** A payload as the phones read it. */
export function payload(overrides: Record<string, string> = {}): Record<string, string> {
  return {
    kind: 'alert',
    alert: 'A1',
    slug: 'a-slug',
    version: '1',
    ref: 'ref-0',
    title: '寻人 Missing child',
    body: 'Please look around you.',
    area: '{"c":[114.06,22.54],"r":120000}',
    band: '0',
    sound: 'wake',
    link: 'https://example.org/a/a-slug',
    expires: '2031-01-01T00:00:00.000Z',
    ...overrides,
  };
}

/** Resolves once the condition holds; the test's own timeout is the limit, after which it stops looking. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const test = tests;
  while (test === tests && !(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Http1Headers;
  readonly body: Record<string, unknown>;
}
export interface Api {
  readonly url: string;
  readonly seen: Seen[];
  /** Requests to this path. */
  to(path: string): Seen[];
}

/** Answers as the api would; `status` may refuse a request by returning other than 200. */
export async function api(status: (seen: Seen, nth: number) => number = () => 200): Promise<Api> {
  const seen: Seen[] = [];
  const server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one: Seen = { method, path, headers, body: text === '' ? {} : (JSON.parse(text) as Seen['body']) };
      const token = `f${seen.push(one)}`;
      const code = status(one, seen.length);
      response.writeHead(code, code === 200 ? {} : { 'retry-after': '0' });
      response.end(JSON.stringify({ token, url: `https://public.example.org/a/a-slug?f=${token}` }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onCleanUp(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, seen, to: (path) => seen.filter((one) => one.path === path) };
}
