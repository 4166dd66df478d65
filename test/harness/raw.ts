import { connect } from 'node:net';
import { once } from 'node:events';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Sends bytes that no HTTP client would, and reads the answer until the server closes. */
export async function sendRaw(url: string, bytes: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n', 2);
  const [first = '', ...lines] = head.split('\r\n');
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
  return { status: Number(first.split(' ')[1]), headers, body };
}

/** Begins an upload and hangs up in its midst. */
export async function hangUp(url: string, path: string, type: string, begun: string, headers = ''): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 100000\r\n${headers}\r\n`;
  await new Promise((written) => socket.write(head + begun, written));
  socket.destroy();
  await once(socket, 'close');
}

const huge = 'a'.repeat(40_000);

/** Requests that Node's parser refuses, with the status each gets. */
export const UNPARSABLE: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ['a header without end', `GET / HTTP/1.1\r\nhost: x\r\nx-huge: ${huge}\r\n\r\n`, 431],
  ['an address without end', `GET /${huge} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
  ['no method', 'NONSENSE / HTTP/1.1\r\nhost: x\r\n\r\n', 400],
  ['no HTTP', '\x16\x03\x01\x02\x00\r\n\r\n', 400],
  [
    'a chunk that is none',
    'POST /v1/receipts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    400,
  ],
  ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na', 400],
];
