// A herd of phones, in a process of its own: asks for one address over kept connections, one request at a time on each, in bursts.
// Every answer of a burst must be of the first one's length: so a byte is counted and nothing is parsed, and the herd can outrun
// whatever it measures.
// argv[2]: a HerdOrder in JSON. Says that it is ready; asked for a Burst, it says a HerdReport.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface HerdOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  /** What every answer must begin with, e.g. 200. */
  readonly status: number;
}

export interface Burst {
  readonly seconds: number;
}

export interface HerdReport {
  readonly answers: number;
  readonly seconds: number;
}

const order = JSON.parse(process.argv[2] ?? '') as HerdOrder;
const url = new URL(order.url);
const fields = Object.entries(order.headers).map(([name, value]) => `${name}: ${value}\r\n`);
const request = Buffer.from(`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${fields.join('')}\r\n`);
const expected = Buffer.from(`HTTP/1.1 ${order.status} `);

/** Opens a connection and learns from its first answer how long each is. */
async function measureOne(): Promise<number> {
  const socket = await open();
  let head = '';
  socket.write(request);
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    head += bytes.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    const length = Number(/^content-length: (\d+)/im.exec(head.slice(0, Math.max(end, 0)))?.[1] ?? 0);
    if (end >= 0 && head.length >= end + 4 + length) return end + 4 + length;
  }
  return fail(head.slice(0, 80));
}

async function open(): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname).setNoDelay();
  await once(socket, 'connect');
  return socket;
}

async function burst(seconds: number): Promise<HerdReport> {
  const answerBytes = await measureOne();
  const sockets = await Promise.all(Array.from({ length: order.connections }, open));
  let answers = 0;
  let running = true;
  const began = performance.now();
  for (const socket of sockets) {
    let missing = answerBytes;
    let fresh = true;
    socket.on('data', (bytes: Buffer) => {
      if (fresh && !expected.equals(bytes.subarray(0, expected.length))) fail(bytes.toString('latin1', 0, 80));
      missing -= bytes.length;
      fresh = missing === 0;
      if (missing < 0) fail('an answer is longer than the first one');
      if (missing > 0) return;
      missing = answerBytes;
      answers++;
      if (running) socket.write(request);
    });
    // The server closes a connection after so many requests, so that a balancer can spread them anew.
    socket.on('close', () => running && fail('a connection closed'));
    socket.write(request);
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  running = false;
  const report = { answers, seconds: (performance.now() - began) / 1000 };
  for (const socket of sockets) socket.destroy();
  return report;
}

function fail(what: string): never {
  console.error(`the herd met: ${what}`);
  return process.exit(1);
}

process.on('message', ({ seconds }: Burst) => void burst(seconds).then((report) => process.send?.(report)));
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
