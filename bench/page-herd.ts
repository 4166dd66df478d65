// A herd of phones, in a process of its own: asks for one address over kept connections, one request at a time on each, for some
// seconds. Every answer must be of the first one's length: so a byte is counted and nothing is parsed, and the herd can outrun
// whatever it measures.
// argv[2]: a HerdOrder in JSON. Says a HerdReport to its parent.
import { connect, type Socket } from 'node:net';

export interface HerdOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  /** What every answer must begin with, e.g. 200. */
  readonly status: number;
}

export interface HerdReport {
  readonly answers: number;
  readonly seconds: number;
  /** Of one answer with its headers. */
  readonly answerBytes: number;
}

const order = JSON.parse(process.argv[2] ?? '') as HerdOrder;
const url = new URL(order.url);
const fields = Object.entries(order.headers).map(([name, value]) => `${name}: ${value}\r\n`);
const request = Buffer.from(`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${fields.join('')}\r\n`);
const expected = Buffer.from(`HTTP/1.1 ${order.status} `);

/** Learns from one answer how long each is. */
function measureOne(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const socket = connect(Number(url.port), url.hostname);
  let head = '';
  socket.on('data', (bytes: Buffer) => {
    head += bytes.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/^content-length: (\d+)/im.exec(head.slice(0, end))?.[1] ?? 0);
    if (head.length < end + 4 + length) return;
    socket.destroy();
    resolve(end + 4 + length);
  });
  socket.on('error', reject).write(request);
  return promise;
}

const answerBytes = await measureOne();
let answers = 0;
let running = true;

function ask(socket: Socket): void {
  let open = answerBytes;
  let fresh = true;
  socket.on('data', (bytes: Buffer) => {
    if (fresh && !expected.equals(bytes.subarray(0, expected.length))) fail(bytes.toString('latin1', 0, 80));
    open -= bytes.length;
    fresh = open === 0;
    if (open < 0) fail('an answer is longer than the first one');
    if (open > 0) return;
    open = answerBytes;
    answers++;
    if (running) socket.write(request);
  });
}

function fail(what: string): never {
  console.error(`the herd met: ${what}`);
  return process.exit(1);
}

const sockets = Array.from({ length: order.connections }, () => connect(Number(url.port), url.hostname).setNoDelay());
const began = performance.now();
for (const socket of sockets) {
  ask(socket);
  // The server closes a connection after so many requests, so that a balancer can spread them anew.
  socket.on('close', () => running && fail('a connection closed'));
  socket.write(request);
}
await new Promise((resolve) => setTimeout(resolve, order.seconds * 1000));
running = false;
const seconds = (performance.now() - began) / 1000;
const report: HerdReport = { answers, seconds, answerBytes };
process.send?.(report, () => process.exit(0));
