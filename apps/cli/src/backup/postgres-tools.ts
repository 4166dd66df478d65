import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Refusal } from '#platform';
import { CommandError } from '../io.ts';
import type { BackupRefusal } from './backup.errors.ts';

type ToolName = 'pg_dump' | 'pg_restore';

export interface Tool {
  readonly path: string;
  /** The major version of PostgreSQL it is of. */
  readonly major: number;
}

/** Where Debian's packages keep every version's programs. */
const DEBIAN_SERVERS = '/usr/lib/postgresql';

/** Lines of a tool's own words that go into an error. */
const LAST_LINES = 5;

/**
 * The oldest of the installed that can talk to the server: a newer one may write what an older server does not read.
 * @param atLeast the server's major version
 * @throws Refusal `postgres_tools_missing`
 */
export function findTool(name: ToolName, atLeast: number, path: string | undefined): Tool {
  const found = candidates(name, path)
    .map((candidate) => ({ path: candidate, major: majorOf(candidate) }))
    .filter((tool) => tool.major > 0)
    .sort((a, b) => a.major - b.major);
  const fitting = found.find(({ major }) => major >= atLeast);
  if (fitting) return fitting;
  const newest = found.at(-1);
  const state = newest ? `is of version ${newest.major} here` : 'is not installed here';
  throw new Refusal<BackupRefusal>(
    'postgres_tools_missing',
    `${name} ${state}, and PostgreSQL ${atLeast} needs that version or a newer one: install postgresql-client-${atLeast}.`,
  );
}

function candidates(name: ToolName, path = ''): string[] {
  const dirs = path.split(':').filter(Boolean);
  return [...debianMajors().map((major) => join(DEBIAN_SERVERS, major, 'bin')), ...dirs].map((dir) => join(dir, name));
}

function debianMajors(): string[] {
  try {
    return readdirSync(DEBIAN_SERVERS);
  } catch {
    return [];
  }
}

/** @returns 0 for what is no such program */
function majorOf(path: string): number {
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

export interface Run {
  readonly tool: Tool;
  readonly args: readonly string[];
  readonly databaseUrl: string;
  readonly env: NodeJS.ProcessEnv;
  /** A file's descriptor that takes the output. */
  readonly output?: number;
  /** Each table the tool says it is at, in its order. */
  readonly progress: (table: string) => void;
}

/** Runs a tool to its end. @throws CommandError with its last words when it fails */
export async function runTool({ tool, args, databaseUrl, env, output, progress }: Run): Promise<void> {
  const { url, password } = withoutPassword(databaseUrl);
  const child = spawn(tool.path, [...args, '--verbose', '--no-password', `--dbname=${url}`], {
    // By the environment, for anybody on the machine can read the arguments. Its words in English, for they are read.
    env: { ...libpqOnly(env), LC_ALL: 'C', ...(password ? { PGPASSWORD: password } : {}) },
    stdio: ['ignore', output ?? 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  const [code, said] = await Promise.all([ended, follow(child.stderr as NodeJS.ReadableStream, progress)]);
  if (code !== 0) throw new CommandError(`${tool.path} failed:\n${said.slice(-LAST_LINES).join('\n')}`);
}

/** @returns all that is no table's turn */
async function follow(words: NodeJS.ReadableStream, progress: (table: string) => void): Promise<string[]> {
  const others: string[] = [];
  for await (const line of createInterface({ input: words })) {
    const table = /(?:dumping contents of|processing data for) table "([^"]+)"/.exec(line)?.[1];
    if (table) progress(table);
    else others.push(line);
  }
  return others;
}

/** The tools need none of our secrets. */
const libpqOnly = (env: NodeJS.ProcessEnv) =>
  Object.fromEntries(Object.entries(env).filter(([name]) => /^(?:PATH|HOME|PG.*)$/.test(name)));

/** As libpq takes it. */
function withoutPassword(databaseUrl: string): { url: string; password: string } {
  const url = new URL(databaseUrl);
  const password = decodeURIComponent(url.password);
  url.password = '';
  // A word of node-postgres alone.
  url.searchParams.delete('uselibpqcompat');
  return { url: url.href, password };
}
