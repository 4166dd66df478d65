import { createHash } from 'node:crypto';

/** SHA-256 of a value's JSON, whatever the order of its keys. @returns 64 hexadecimal digits */
export function digestOf(content: object): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(content)))
    .digest('hex');
}

/** Objects with their keys in order: jsonb does not promise to keep the writer's. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]));
}
