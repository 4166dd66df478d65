import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Deployment } from '../test/harness/deployment.ts';
import { type Bench, type Part, type Row, type Size, SIZES } from './part.ts';
import { audience } from './parts/audience.ts';
import { dispatch } from './parts/dispatch.ts';
import { engagement } from './parts/engagement.ts';
import { fairness } from './parts/fairness.ts';
import { firstPush } from './parts/first-push.ts';
import { growth } from './parts/growth.ts';
import { page } from './parts/page.ts';
import { positions } from './parts/positions.ts';
import { quota } from './parts/quota.ts';
import { wave } from './parts/wave.ts';
import { worker } from './parts/worker.ts';
import { keep, machineOf, tableOf } from './report.ts';
import { Servers } from './servers.ts';
import { fill, type World } from './world.ts';

/** In the order in which they run. */
const PARTS: readonly Part[] = [
  audience,
  wave,
  growth,
  dispatch,
  firstPush,
  fairness,
  worker,
  quota,
  positions,
  engagement,
  page,
];

const ROUNDS = { tiny: 1, small: 3, full: 3 } as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { size: { type: 'string', default: 'small' }, list: { type: 'boolean', default: false } },
});
const say = (line: string) => process.stderr.write(`${line}\n`);
const names = PARTS.map((part) => part.name).join('|');

if (values.list) {
  for (const part of PARTS) console.log(part.name);
  process.exit(0);
}
const size = sizeOf(values.size);
const chosen = positionals.length === 0 ? PARTS.filter(runsUnnamed) : positionals.map(partOf);

function sizeOf(given: string): Size {
  if (given in SIZES) return given as Size;
  say(`--size is ${Object.keys(SIZES).join('|')}.`);
  return process.exit(1);
}

function runsUnnamed({ onlyFull = false }: Part): boolean {
  return !onlyFull || size === 'full';
}

function partOf(given: string): Part {
  const part = PARTS.find(({ name }) => name === given);
  if (part) return part;
  say(`There is no part ${given}; there are ${names}.`);
  return process.exit(1);
}

const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
const root = join(import.meta.dirname, '..');
const dir = await mkdtemp(join(tmpdir(), 'golden72-bench-'));
const deployment = new Deployment(root, dir, stopping.signal);
const servers = new Servers(root, process.env);
const bench: Bench = {
  size,
  devices: SIZES[size],
  rounds: ROUNDS[size],
  root,
  redisUrl: servers.redisUrl,
  dir,
  say,
  stop: stopping.signal,
  database: (name) => servers.database(name),
  world: () => (world ??= makeWorld()),
  deployment: () => deployment,
};

let world: Promise<World> | undefined;

async function makeWorld(): Promise<World> {
  const devices = SIZES[size];
  say(`  a world of ${devices.toLocaleString('en')} devices …`);
  const progress = (stored: number) => {
    if (stored % 200_000 === 0) say(`    ${stored.toLocaleString('en')} drawn`);
  };
  return fill(await servers.database('world'), devices, progress);
}

const date = new Date();
const rows: Row[] = [];
const figures: Record<string, unknown> = {};
const done: string[] = [];
let kept: string | undefined;
try {
  const machine = machineOf(await servers.versions(), root);
  for (const part of chosen) {
    const began = Date.now();
    say(`${part.name} …`);
    const found = await part.run(bench);
    await deployment.stop();
    rows.push(...found.rows);
    Object.assign(figures, found.figures);
    done.push(part.name);
    // Now, and not at the end: a part that fails after an hour must not take the others with it.
    if (size !== 'tiny') kept = keep(root, { date, size, parts: done, machine, rows, figures });
    say(`${tableOf(found.rows)}\n${part.name}: ${Math.round((Date.now() - began) / 1000)} s`);
  }
  if (chosen.length > 1) console.log(tableOf(rows));
  if (kept) say(`Kept as ${kept}`);
  console.log(JSON.stringify(figures));
} finally {
  await deployment.stop();
  await servers.close();
  await rm(dir, { recursive: true, force: true });
}
