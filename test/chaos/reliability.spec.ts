import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { SCENARIOS } from './scenarios.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/RELIABILITY.md'), 'utf8');

/** Names of scenarios stand in the column of proofs and are written as code. */
function namedIn(text: string): string[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.flatMap((row) =>
    [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
  );
}

it('names every scenario, and only scenarios that exist', () => {
  const names = SCENARIOS.map(({ name }) => name);
  expect([...new Set(namedIn(page))].sort()).toEqual([...names].sort());
  expect(new Set(names).size).toBe(names.length);
});
