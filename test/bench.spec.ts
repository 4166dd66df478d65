import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { redisUrl } from './harness/env.ts';

const root = join(import.meta.dirname, '..');
/** What is measured over minutes, `quota`, and the memory of a big wave, `worker`, would say nothing in seconds. */
const PARTS = ['audience', 'wave', 'growth', 'dispatch', 'first-push', 'fairness', 'positions', 'engagement', 'page'];

const figure = expect.any(Number);

/** At 20 000 devices the figures say nothing but that the benchmark works, which refuses wrong answers by itself. */
describe('the benchmark', () => {
  let figures: Record<string, unknown>;
  let told: string;

  beforeAll(async () => {
    const args = ['--no-warnings', 'bench/main.ts', '--size', 'tiny', ...PARTS];
    const env = { ...process.env, NODE_OPTIONS: '', REDIS_URL: redisUrl() };
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env, timeout: 280_000 });
    told = stdout;
    figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
  }, 300_000);

  it('ends in one JSON object of what each part found', () => {
    expect(figures).toMatchObject({
      audience: { vsGist: figure, vsRedis: figure, mismatches: 0 },
      wave: { vsRows: figure, bytesPerRecipient: figure },
      growth: { ratio: figure },
      dispatch: { vsFirebaseAdminCpu: figure, vsFcmV1Http2Cpu: figure, vsBareHttp2: figure, cpuVsBare: figure },
      perMillion: { cpuS: figure, walMb: figure, redisOps: figure },
      firstPushMs: { p50: figure, p95: figure },
      fairness: { firstPushMs: figure },
      positions: { vsSave: figure, vsBare: figure },
      engagement: { vsSave: figure, vsBare: figure },
      page: { vsBare: figure },
    });
  });

  it('tells people in a table', () => {
    expect(told).toContain('ours against it');
    expect(told).toContain('TypeORM save a request');
  });
});
