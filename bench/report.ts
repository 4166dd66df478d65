import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Row, Size } from './part.ts';

const plain = { head: [], border: [] };

/** The table that people read. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['measured', 'contender', 'median', 'lowest – highest', 'ours against it', ''];
  const table = new Table({ head, style: plain });
  let last = '';
  for (const { what, contender, measured, spread = '', ratio = '', reached } of rows) {
    table.push([what === last ? '' : what, contender, measured, spread, ratio, markOf(reached)]);
    last = what;
  }
  return table.toString();
}

function markOf(reached: boolean | undefined): string {
  if (reached === undefined) return '';
  return reached ? 'reached' : 'MISSED';
}

/** What a figure depends on and a reader cannot see in it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly postgres: string;
  readonly redis: string;
  /** Of the sources; null outside a clone. */
  readonly commit: string | null;
}

export function machineOf(servers: Pick<Machine, 'postgres' | 'redis'>, root: string): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    ...servers,
    commit: commitOf(root),
  };
}

function commitOf(root: string): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

/** All of a run, kept as `bench/results/<date>.json`. @returns the file */
export function keep(
  root: string,
  result: {
    readonly date: Date;
    readonly size: Size;
    readonly parts: readonly string[];
    readonly machine: Machine;
    readonly rows: readonly Row[];
    readonly figures: Readonly<Record<string, unknown>>;
  },
): string {
  const folder = join(root, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${result.date.toISOString().slice(0, 19).replaceAll(':', '')}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}
