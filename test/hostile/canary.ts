import { randomBytes } from 'node:crypto';

/** Whose private values a canary stands for: an agency, or `device` for what no answer may ever tell. */
export type Owner = 'home' | 'foreign' | 'parent' | 'child' | 'spare' | 'device';

/** A private value that shows whose it is wherever it turns up. */
export function canary(owner: Owner, field: string): string {
  return `canary-${owner}-${field}-${randomBytes(4).toString('hex')}`;
}

const CANARIES = /canary-(home|foreign|parent|child|spare|device)-[\w-]+/g;

/** Whose canaries a text holds, each with the canary itself. */
export function canariesIn(text: string): { owner: Owner; value: string }[] {
  if (!text.includes('canary-')) return [];
  return [...text.matchAll(CANARIES)].map(([value, owner]) => ({ owner: owner as Owner, value }));
}
