import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');

const run = async (...args: string[]) => {
  const options = { cwd: root, env: { ...process.env, NODE_OPTIONS: '' }, timeout: 400_000 };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', 'test/chaos/main.ts', ...args],
    options,
  ).catch((error: { stdout: string }) => error);
  return stdout.trimEnd().split('\n');
};

it('keeps its promises while workers, api, servers, FCM and officers break a wave', async () => {
  const told = JSON.parse((await run('--short', '--patience', '3')).at(-1) ?? '') as {
    scenarios: { name: string; ok: boolean }[];
  };
  expect(told.scenarios.length).toBeGreaterThan(5);
  expect(told.scenarios.filter(({ ok }) => !ok)).toEqual([]);
}, 420_000);

it('lists what it breaks', async () => {
  expect(await run('--list')).toContainEqual(expect.stringMatching(/^worker-killed +a worker is killed/));
});
