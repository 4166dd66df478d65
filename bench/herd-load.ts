// Sends what a file holds, `authorization<TAB>body` a line, over many connections: `node bench/herd-load.ts '<Load>'`. Prints a Thrown.
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { Load, Thrown } from './herd.ts';
import { quantile } from './rounds.ts';

/** From the first answer on: in it the connections open, and nothing is measured. */
const OPENING_MS = 500;

const load = JSON.parse(process.argv[2] ?? '') as Load;
const requests = readFileSync(load.file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [authorization = '', body = ''] = line.split('\t');
    const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
    return { method: load.method, path: load.path, headers, body };
  });
const byConnection = Object.groupBy(requests, (_, place) => place % load.connections);

const answered: number[] = [];
const refused: Record<number, number> = {};
const latencies: number[] = [];
let began: number | undefined;
let ended = 0;

function count(status: number, ms: number, own: number): void {
  ended = performance.now();
  began ??= ended + OPENING_MS;
  if (status < 200 || status >= 300) {
    refused[status] = (refused[status] ?? 0) + 1;
    return;
  }
  (answered[own] as number)++;
  if (ended >= began) latencies.push(ms);
}

const { errors } = await autocannon({
  url: load.url,
  connections: load.connections,
  duration: load.seconds + OPENING_MS / 1000,
  timeout: 60,
  setupClient: (client) => {
    const own = answered.push(0) - 1;
    client.setRequests(byConnection[own] ?? []);
    client.on('response', (status, _bytes, ms) => count(status, ms, own));
  },
});
const perSecond = (latencies.length * 1000) / Math.max(1, ended - (began ?? ended));
// Where nothing was answered well, whoever started this is told what was answered instead.
const latencyMs = (share: number) => (latencies.length > 0 ? quantile(latencies, share) : 0);
const [p50Ms, p99Ms] = [latencyMs(0.5), latencyMs(0.99)];
const thrown: Thrown = { perSecond, answered, refused, errors, p50Ms, p99Ms };
console.log(JSON.stringify(thrown));
