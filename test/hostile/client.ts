import { connect } from 'node:net';
import { Pool } from 'undici';

/** A request as it goes out. */
export interface Sent {
  readonly method: string;
  /** With its query, encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
  /** Bytes instead of all the rest, for what no client would send. */
  readonly bytes?: Buffer | undefined;
}

/** What came back; a status of 0 is a server that hung up without a word. */
export interface Heard {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Milliseconds that a server may take to answer bytes which are no whole request. */
const RAW_MS = 3_000;

/** Sends requests on connections that stay open. */
export class Client {
  readonly url: string;
  private readonly pool: Pool;

  constructor(url: string, connections = 32) {
    this.url = url;
    this.pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 });
  }

  async send({ method, path, headers, body, bytes }: Sent): Promise<Heard> {
    if (bytes) return sendBytes(this.url, bytes);
    try {
      const answer = await this.pool.request({ method, path, headers, body: body ?? null });
      const said = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const);
      return {
        status: answer.statusCode,
        headers: Object.fromEntries(said),
        body: Buffer.from(await answer.body.arrayBuffer()),
      };
    } catch (error) {
      // A server may close instead of reading on: of a body that is too large, for one.
      if (HUNG_UP.has((error as NodeJS.ErrnoException).code ?? '')) return { status: 0, headers: {}, body: NOTHING };
      throw error;
    }
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

const NOTHING = Buffer.alloc(0);
const HUNG_UP = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Writes bytes on a connection of their own, ends it, and reads the first answer. */
async function sendBytes(url: string, bytes: Buffer): Promise<Heard> {
  const { hostname, port } = new URL(url);
  const chunks: Buffer[] = [];
  const socket = connect(Number(port), hostname);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => resolve());
  socket.on('close', () => resolve());
  socket.setTimeout(RAW_MS, () => socket.destroy());
  socket.end(bytes);
  await closed;
  return readAnswer(Buffer.concat(chunks));
}

function readAnswer(answer: Buffer): Heard {
  // '100 Continue' only announces the answer.
  if (/^HTTP\/1\.1 1\d\d /.test(answer.subarray(0, 13).toString('latin1'))) {
    return readAnswer(answer.subarray(answer.indexOf('\r\n\r\n') + 4));
  }
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return { status: 0, headers: {}, body: answer };
  const [first = '', ...lines] = answer.subarray(0, end).toString('latin1').split('\r\n');
  const headers = lines.map((line) => line.split(/:\s*(.*)/s).slice(0, 2) as [string, string]);
  const named = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  // What a hidden request is answered with comes after.
  const length = Number(named['content-length'] ?? answer.length);
  return { status: Number(first.split(' ')[1]), headers: named, body: answer.subarray(end + 4, end + 4 + length) };
}
