import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cpuSeconds, type Process } from '../test/harness/deployment.ts';
import type { Bench, Findings, Row } from './part.ts';
import { alternate, type Contender, quantile, ratioOf, type Sample } from './rounds.ts';

/** What a herd of phones sends. */
export interface Load {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  /** Its requests, `authorization<TAB>body` a line; the n-th belongs to connection n modulo connections, which repeats its own. */
  readonly file: string;
  /** Each has one request under way. */
  readonly connections: number;
  readonly seconds: number;
}

/** What a load found. */
export interface Thrown {
  /** Answers of 2xx, once the connections are open. */
  readonly perSecond: number;
  /** Answers of 2xx by connection: of each, its first so many requests. */
  readonly answered: readonly number[];
  /** Other answers by status. */
  readonly refused: Readonly<Record<number, number>>;
  /** Requests without an answer. */
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The requests of one run that were answered with 2xx. */
export interface Answered {
  readonly run: number;
  /** Places in the run's file. */
  readonly lines: readonly number[];
}

type Name = 'ours' | 'save' | 'bare';

/** A route of the api and its two peers. */
export interface Comparison {
  /** Key of the figures. */
  readonly name: string;
  readonly what: string;
  readonly method: Load['method'];
  readonly path: string;
  readonly servers: Readonly<Record<Name, Process<{ readonly url: string }>>>;
  /** Writes the file of a run, other requests for each, of which that share suffices. */
  readonly prepare: (run: number, share: number) => Promise<{ readonly file: string; readonly lines: number }>;
  /** @returns how many answered requests are not stored */
  readonly check: (answered: Answered) => Promise<number>;
}

const PEERS: Readonly<Record<Name, string>> = {
  ours: 'golden72 api',
  save: 'TypeORM save a request',
  bare: 'bare Fastify, stores nothing and knows nobody',
};

/** Each sends its next request when its last is answered. */
export const CONNECTIONS = 256;

const SECONDS = { tiny: 1, small: 2, full: 10 } as const;

/** Of the requests that ours could be sent: a peer that saves one by one comes to a tenth, and one that stores nothing may be sent the same again. */
const SHARES: Readonly<Record<Name, number>> = { ours: 1, save: 0.25, bare: 0.25 };

/** What ours is to reach, times the peer. */
const TARGETS = { save: 4, bare: 0.25 } as const;

/**
 * Answers of 2xx a second, of the three in turn.
 * @throws Error when anything else was answered, or an answered request is not stored
 */
export async function compare(bench: Bench, comparison: Comparison): Promise<Findings> {
  const others: Record<Name, Thrown[]> = { ours: [], save: [], bare: [] };
  const cpu: Record<Name, number[]> = { ours: [], save: [], bare: [] };
  let run = 0;
  const contender =
    (name: Name): Contender =>
    async () => {
      run++;
      const { file, lines } = await comparison.prepare(run, SHARES[name]);
      const { pid, ready } = comparison.servers[name];
      const { method, path } = comparison;
      const load = { url: ready.url, method, path, file, connections: CONNECTIONS, seconds: SECONDS[bench.size] };
      const before = cpuSeconds(pid);
      const thrown = await throwLoad(bench, load);
      const answered = thrown.answered.reduce((sum, each) => sum + each, 0);
      cpu[name].push(((cpuSeconds(pid) - before) / answered) * 1000);
      others[name].push(thrown);
      const lost = name === 'bare' ? 0 : await comparison.check({ run, lines: answeredLines(lines, thrown.answered) });
      if (lost > 0) throw new Error(`${comparison.name}: ${PEERS[name]} answered ${lost} that it did not store`);
      return thrown.perSecond;
    };
  const found = await alternate(
    { ours: contender('ours'), save: contender('save'), bare: contender('bare') },
    { rounds: bench.rounds, warmUp: 1, stop: bench.stop },
  );
  const vs = (peer: 'save' | 'bare') => ratioOf(found.ours, found[peer]);
  const rows = (['ours', 'save', 'bare'] as const).map((name): Row => {
    const ms = (pick: (thrown: Thrown) => number) => Math.round(quantile(others[name].map(pick), 0.5));
    const cpuMs = quantile(cpu[name], 0.5) * 1000;
    const more = `${(cpuMs / 1000).toFixed(2)} CPU s a 1 000; p50 ${ms((each) => each.p50Ms)} ms, p99 ${ms((each) => each.p99Ms)} ms`;
    const row = {
      what: comparison.what,
      contender: PEERS[name],
      measured: `${perSecond(found[name].median)} (${more})`,
    };
    const spread = spreadOf(found[name]);
    if (name === 'ours') return { ...row, spread };
    const [ratio, target] = [vs(name), TARGETS[name]];
    return { ...row, spread, ratio: `${ratio.toFixed(2)}× (≥ ${target}×)`, reached: ratio >= target };
  });
  return { rows, figures: { [comparison.name]: { vsSave: round(vs('save')), vsBare: round(vs('bare')) } } };
}

/** From a process of its own. */
async function throwLoad({ root, stop }: Bench, load: Load): Promise<Thrown> {
  const args = ['--no-warnings', join(root, 'bench/herd-load.ts'), JSON.stringify(load)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, signal: stop, maxBuffer: 2 ** 24 });
  const thrown = JSON.parse(stdout) as Thrown;
  if (thrown.errors > 0 || Object.keys(thrown.refused).length > 0) {
    throw new Error(`${load.path} was refused: ${JSON.stringify({ refused: thrown.refused, errors: thrown.errors })}`);
  }
  return thrown;
}

/** The places of a file's lines that were answered. */
function answeredLines(lines: number, answered: readonly number[]): number[] {
  return Array.from({ length: lines }, (_, line) => line).filter(
    (line) => Math.floor(line / CONNECTIONS) < (answered[line % CONNECTIONS] ?? 0),
  );
}

const perSecond = (figure: number) => `${Math.round(figure).toLocaleString('en')}/s`;

const spreadOf = ({ lowest, highest }: Sample) => `${perSecond(lowest)} – ${perSecond(highest)}`;

const round = (ratio: number) => Math.round(ratio * 100) / 100;
