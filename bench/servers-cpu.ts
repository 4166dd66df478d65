import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { Client } from 'pg';
import { cpuSeconds } from '../test/harness/deployment.ts';

/** CPU seconds that PostgreSQL (all its processes) and Redis have used so far; they run on this machine. */
export async function serversCpu(
  db: Client,
  redis: Redis,
): Promise<{ readonly postgres: number; readonly redis: number }> {
  const { rows } = await db.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const postmaster = parentOf(rows[0]?.pid ?? 0);
  const family = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && (pid === postmaster || parentOf(pid) === postmaster));
  const postgres = family.reduce((sum, pid) => sum + usedBy(pid), 0) + childrenSeconds(postmaster);
  const redisPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  return { postgres, redis: usedBy(redisPid) };
}

/** A process may end between being listed and being read: then its parent has its time. */
function usedBy(pid: number): number {
  try {
    return cpuSeconds(pid);
  } catch {
    return 0;
  }
}

/** proc(5), `stat`, field 4. */
function parentOf(pid: number): number {
  return Number(statOf(pid)[1] ?? 0);
}

/** CPU seconds of the children that have ended (fields 16 and 17, clock ticks of 1/100 s). */
function childrenSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / 100;
}

/** From field 3 on. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
