import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { allowed, findingsOf, lockFaults } from '../scripts/setup/dependencies.mjs';

const advisory = (id: string, severity = 'high') => ({
  ...{ source: 1, name: 'left-pad', severity, title: 'pads right' },
  url: `https://github.com/advisories/${id}`,
});
const excuse = (id: string, until = '2027-01-31', reason = 'not reached: only tests pad') => ({ id, until, reason });

describe('the audit of dependencies', () => {
  it('takes grave advisories, each once, and knows when there was no audit', () => {
    const via = [advisory('GHSA-aaaa'), advisory('GHSA-bbbb', 'moderate'), 'other'];
    const found = findingsOf({
      vulnerabilities: { 'left-pad': { via }, other: { via: ['left-pad', advisory('GHSA-aaaa')] } },
    });
    expect(found).toEqual([{ id: 'GHSA-aaaa', package: 'left-pad', severity: 'high', title: 'pads right' }]);
    expect(findingsOf({ vulnerabilities: {} })).toEqual([]);
    expect(findingsOf({})).toBeNull();
  });

  it('excuses with a reason and until a day, and no longer', () => {
    const findings = findingsOf({ vulnerabilities: { 'left-pad': { via: [advisory('GHSA-aaaa')] } } }) ?? [];
    const sums = (excuses: ReturnType<typeof excuse>[], today = '2027-01-31') => {
      const { open, excused, stale } = allowed(findings, excuses, today);
      return [open.length, excused.length, stale.length];
    };
    expect(sums([])).toEqual([1, 0, 0]);
    expect(sums([excuse('GHSA-aaaa')])).toEqual([0, 1, 0]);
    expect(sums([excuse('GHSA-aaaa')], '2027-02-01')).toEqual([1, 0, 1]);
    expect(sums([excuse('GHSA-aaaa', '2027-01-31', ' ')])).toEqual([1, 0, 1]);
    expect(sums([excuse('GHSA-aaaa', 'for ever')])).toEqual([1, 0, 1]);
    expect(sums([excuse('GHSA-aaaa'), excuse('GHSA-zzzz')])).toEqual([0, 1, 1]);
  });

  it('finds what the lock file does not pin', () => {
    const good = { version: '1.0.0', integrity: 'sha512-abc' };
    const faults = (entry: object) => lockFaults({ lockfileVersion: 3, packages: { 'node_modules/a': { ...entry } } });
    expect(faults(good)).toEqual([]);
    expect(faults({ version: '1.0.0', optional: true })).toEqual([]);
    expect(faults({ version: '1.0.0' })).toEqual(['package-lock.json: node_modules/a has no integrity']);
    expect(faults({ ...good, integrity: 'sha1-abc' })).toHaveLength(1);
    expect(faults({ ...good, resolved: 'https://evil.example/a.tgz' })).toHaveLength(1);
    expect(faults({ ...good, resolved: 'git+ssh://git@github.com/a/b.git' })).toHaveLength(1);
    expect(faults({ ...good, resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' })).toEqual([]);
    expect(faults({ link: true })).not.toEqual([]);
    expect(lockFaults({ lockfileVersion: 1 })).toHaveLength(1);
  });

  it('finds nothing in ours', () => {
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Parameters<typeof lockFaults>[0];
    expect(lockFaults(lock)).toEqual([]);
  });
});
