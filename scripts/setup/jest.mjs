import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeOf } from './packages.mjs';
import { readJson } from './purpose.mjs';
import { runApp } from './run-app.mjs';

/**
 * Runs Jest on the project's Node and prints how many tests passed and failed as the last line.
 * @param {string[]} args
 * @param {Parameters<typeof runApp>[1] & { local: string }} run
 * @returns {Promise<number>} 0 only when at least one test ran and none failed
 */
export async function jest(args, { local, ...run }) {
  const report = join(local, 'jest.json');
  mkdirSync(local, { recursive: true });
  rmSync(report, { force: true });
  const jestBin = join(run.root, 'node_modules/jest/bin/jest.js');
  const code = await runApp(
    [
      nodeOf(run.root),
      '--experimental-vm-modules',
      '--no-warnings=ExperimentalWarning',
      jestBin,
      '--json',
      `--outputFile=${report}`,
      ...args,
    ],
    run,
  );
  const { passed, failed } = count(readJson(report), code);
  return { passed, failed, code: code === 0 && failed === 0 && passed > 0 ? 0 : code || 1 };
}

/** A file that fails to load holds no test that could fail: it counts as one, and so does a Jest that did not report. */
function count(report, code) {
  if (!report) return { passed: 0, failed: 1 };
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return { passed: report.numPassedTests, failed: failed || (code === 0 ? 0 : 1) };
}
