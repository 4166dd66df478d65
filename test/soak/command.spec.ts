import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const run = (...args: string[]) => {
  const options = { cwd: join(import.meta.dirname, '../..'), env: { ...process.env, NODE_OPTIONS: '' } };
  return promisify(execFile)(process.execPath, ['--no-warnings', 'test/soak/main.ts', ...args], options);
};

it('lists its options', async () => {
  const { stdout } = await run('--help');
  for (const option of ['--minutes', '--every', '--patience']) expect(stdout).toContain(option);
});

it('refuses a time in which nothing could be told', async () => {
  await expect(run('--minutes', '0')).rejects.toMatchObject({
    code: 1,
    stderr: '--minutes is a number of at least 2.\n',
  });
});
