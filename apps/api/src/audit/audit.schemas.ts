import { z } from 'zod';
import type { AuditedEntry } from '#audit';
import { uuid } from '../schemas/common.ts';

const reference = z.string().regex(/^[\w:.,+/=-]{1,200}$/, 'must be a reference such as case:<id>');

export const auditQuery = z.strictObject({
  agencyId: uuid.optional().describe('An agency below your own; your own when left out.'),
  thing: reference.optional().describe('E.g. `case:<id>`.'),
  actor: reference.optional().describe('E.g. `officer:<id>`.'),
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().describe('The last page’s `next`.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const auditEntry = z.object({
  seq: z.int(),
  at: z.iso.datetime({ precision: 6 }),
  actor: z.string(),
  action: z.string(),
  thing: z.string(),
  detail: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .describe('References, digests, counts and codes.'),
  origin: z
    .string()
    .nullable()
    .describe('A keyed digest of the network, and the session; null where no request did it.'),
  why: z.string().nullable().describe('A code; null on entries older than it.'),
  hash: z.string().describe('SHA-256 over the entry and the one before it, in hexadecimal.'),
});

export const auditAnswer = z.object({ entries: z.array(auditEntry), next: z.int().nullable() });

export function viewOf(entry: AuditedEntry): z.input<typeof auditEntry> {
  const { seq, at, actor, action, thing, detail, origin, why, hash } = entry;
  return { seq, at: `${at}Z`, actor, action, thing, detail, origin, why, hash: hash.toString('hex') };
}
