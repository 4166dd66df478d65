// What is known against our dependencies, and whether the lock file pins what it should: node scripts/audit-dependencies.mjs
// Findings of high or critical severity end it with 1, unless `.ci/audit-allow.json` names them with a reason and a day until
// which that holds: [{ "id": "GHSA-…", "reason": "…", "until": "2027-01-31" }].
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { allowed, findingsOf, lockFaults } from './setup/dependencies.mjs';
import { root } from './setup/main.mjs';

const NPM_MS = 120_000;
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** npm answers with 1 both for findings and for a registry that has no audit: the words tell. */
async function audit() {
  const args = ['audit', '--omit=dev', '--audit-level=high', '--json'];
  const bytes = { maxBuffer: 64 * 1024 * 1024, timeout: NPM_MS, cwd: root };
  const { stdout } = await promisify(execFile)('npm', args, bytes).catch((error) => error);
  try {
    return JSON.parse(stdout);
  } catch {
    return {};
  }
}

const faults = lockFaults(readJson('package-lock.json'));
const report = await audit();
const findings = findingsOf(report);
if (findings === null) {
  console.log(`Dependencies: NOT AUDITED. The registry gave no audit: ${report.message ?? 'no answer'}`);
} else {
  const today = new Date().toISOString().slice(0, 10);
  const { open, excused, stale } = allowed(findings, readJson('.ci/audit-allow.json'), today);
  for (const { id, package: name, severity, title } of open) faults.push(`${name}: ${severity}: ${title} (${id})`);
  for (const { id } of stale) faults.push(`.ci/audit-allow.json: ${id} is over or is found no more: take it out`);
  console.log(`Dependencies: ${open.length} open findings, ${excused.length} excused.`);
}
for (const fault of faults) console.error(`  ${fault}`);
if (faults.length === 0) console.log('The lock file pins every package.');
process.exitCode = faults.length === 0 ? 0 : 1;
