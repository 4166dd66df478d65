/** The plain HTTP/1.1 side: Google's token exchange, and the switches and books for demos and tests. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Actions } from './actions.ts';
import type { Bearers } from './bearers.ts';
import { KINDS, type Kind } from './payload.ts';
import { SettingsError } from './settings.ts';
import { TOKEN_STATES, type TokenState } from './verdicts.ts';

interface Reply {
  readonly status: number;
  readonly body: unknown;
}
type Handler = (query: URLSearchParams, body: string) => Reply | Promise<Reply>;

const MAX_BODY_BYTES = 64 * 1024;
const MAX_DRAIN_MS = 600_000;
const HOST = '127.0.0.1';

/** A request that cannot be served, with the code the answer names. */
class ControlError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
    this.code = code;
  }
}

export class ControlListener {
  readonly #server: Server;
  readonly #handlers: Readonly<Record<string, Handler>>;

  constructor(actions: Actions, bearers: Bearers, project: string) {
    this.#handlers = handlers(actions, bearers, project);
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, HOST, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#reply(request).catch(failure);
    if (response.destroyed) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? '/', 'http://control');
    const path = url.pathname.replace(/^(\/v1\/projects\/)\d+$/, '$1*');
    const handler = this.#handlers[`${request.method} ${path}`];
    if (handler === undefined) throw new ControlError(404, 'NO_SUCH_PATH', `${request.method} ${url.pathname}`);
    return handler(url.searchParams, await readBody(request));
  }
}

function handlers(actions: Actions, bearers: Bearers, project: string): Record<string, Handler> {
  const lifetime = () => actions.settings().tokenLifetimeSeconds;
  return {
    'POST /sts/token': (_query, body) => bearers.exchange(new URLSearchParams(body), lifetime()),
    'GET /v1/projects/*': () => ok({ projectId: project }),
    'GET /control/stats': (query) => {
      const alert = query.get('alert');
      return ok(alert === null ? actions.stats() : actions.alertStats(alert));
    },
    'GET /control/timeline': (query) => ok(actions.timeline(required(query, 'alert'), kindOf(query))),
    'GET /control/arrivals': (query) => {
      const arrivals = actions.arrivals(required(query, 'alert'));
      if (arrivals === undefined) throw new ControlError(409, 'NOT_KEPT', 'start the simulator with --keep-arrivals');
      return ok({ arrivals });
    },
    'GET /control/settings': () => ok(actions.settings()),
    'PATCH /control/settings': async (_query, body) => ok(await actions.configure(parse(body))),
    'POST /control/drain': async (query) => ok(await actions.drain(timeoutOf(query))),
    'POST /control/phones/last': (_query, body) => ok({ shown: actions.shownBy(tokenOf(parse(body))) }),
    'POST /control/phones/switch': (_query, body) => {
      const parsed = parse(body);
      actions.switchPhone(tokenOf(parsed), flagOf(parsed, 'on'));
      return ok({});
    },
    'POST /control/tokens': (_query, body) => {
      const parsed = parse(body);
      actions.setTokenState(tokenOf(parsed), stateOf(parsed));
      return ok({});
    },
    'POST /control/bearers': () => ok({ accessToken: actions.issueBearer() }),
    'DELETE /control/bearers': () => {
      actions.revokeBearers();
      return ok({});
    },
    'DELETE /control/sessions': () => {
      actions.dropSessions();
      return ok({});
    },
  };
}

function ok(body: unknown): Reply {
  return { status: 200, body };
}

function failure(error: unknown): Reply {
  const message = error instanceof Error ? error.message : 'failed';
  if (error instanceof ControlError) return { status: error.status, body: { error: { code: error.code, message } } };
  if (error instanceof SettingsError) {
    return { status: 400, body: { error: { code: 'BAD_SETTING', message, setting: error.setting } } };
  }
  return { status: 500, body: { error: { code: 'FAILED', message } } };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new ControlError(413, 'BODY_TOO_LARGE', `at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new ControlError(400, 'MALFORMED_JSON', 'the body is not JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ControlError(400, 'BAD_BODY', 'the body must be a JSON object');
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null) throw new ControlError(400, 'BAD_QUERY', `${name} is missing`);
  return value;
}

function kindOf(query: URLSearchParams): Kind {
  const kind = KINDS.find((name) => name === (query.get('kind') ?? 'alert'));
  if (kind === undefined) throw new ControlError(400, 'BAD_QUERY', `kind must be one of ${KINDS.join(', ')}`);
  return kind;
}

function timeoutOf(query: URLSearchParams): number | undefined {
  const value = query.get('timeoutMs');
  if (value === null) return undefined;
  const timeoutMs = Number(value);
  if (timeoutMs >= 0 && timeoutMs <= MAX_DRAIN_MS) return timeoutMs;
  throw new ControlError(400, 'BAD_QUERY', `timeoutMs must be from 0 to ${MAX_DRAIN_MS}`);
}

function tokenOf(body: Record<string, unknown>): string {
  if (typeof body['token'] === 'string') return body['token'];
  throw new ControlError(400, 'BAD_BODY', 'token must be a text');
}

function flagOf(body: Record<string, unknown>, name: string): boolean {
  const value = body[name];
  if (typeof value === 'boolean') return value;
  throw new ControlError(400, 'BAD_BODY', `${name} must be true or false`);
}

function stateOf(body: Record<string, unknown>): TokenState | 'OK' | undefined {
  const { state = null } = body;
  if (state === null) return undefined;
  if (state === 'OK' || (typeof state === 'string' && Object.hasOwn(TOKEN_STATES, state))) return state as TokenState;
  throw new ControlError(400, 'BAD_BODY', `state must be null, OK or one of ${Object.keys(TOKEN_STATES).join(', ')}`);
}
