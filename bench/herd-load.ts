// Sends what a file holds, `authorization<TAB>body` a line, over many connections: `node bench/herd-load.ts '<Load>'`. Prints a Thrown.
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { Load, Thrown } from './herd.ts';

const load = JSON.parse(process.argv[2] ?? '') as Load;
const lines = readFileSync(load.file, 'utf8').trimEnd().split('\n');
const requests = lines.map((line) => {
  const [authorization = '', body = ''] = line.split('\t');
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
  return { method: load.method, path: load.path, headers, body };
});

const answered: number[] = [];
const refused: Record<number, number> = {};
const instance = autocannon({
  url: load.url,
  connections: load.connections,
  duration: load.seconds,
  timeout: 60,
  setupClient: (client) => {
    const own = answered.push(0) - 1;
    client.setRequests(requests.filter((_, place) => place % load.connections === own));
    client.on('response', (status) => {
      if (status >= 200 && status < 300) (answered[own] as number)++;
      else refused[status] = (refused[status] ?? 0) + 1;
    });
  },
});
const { '2xx': ok, duration, errors, latency } = await instance;
const thrown: Thrown = { perSecond: ok / duration, answered, refused, errors, p50Ms: latency.p50, p99Ms: latency.p99 };
console.log(JSON.stringify(thrown));
