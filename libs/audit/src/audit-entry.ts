import { createHash } from 'node:crypto';
import type { Why } from './why.ts';

/** A value that cannot hide a text: see {@link assertReferences}. */
export type Scalar = string | number | boolean | null;

/** One act, as those who did it tell it. */
export interface AuditRecord {
  /** Whose chain it stands in. */
  readonly agencyId: string;
  /** Who did it, e.g. `officer:<uuid>`, `system:expiry` or `command_line`. */
  readonly actor: string;
  /** What was done, e.g. `case.submit`. */
  readonly action: string;
  /** What it was done to, e.g. `case:<uuid>`. */
  readonly thing: string;
  /** References, digests, counts and codes that say more. */
  readonly detail?: Readonly<Record<string, Scalar>>;
  /** Where the caller knows better than the request: see `Audit.record`. */
  readonly why?: Why;
}

/** A record in its place in the chain. */
export interface AuditEntry extends Required<Omit<AuditRecord, 'why'>> {
  /** Which fields the hash covers: 2 has `origin` and `why`, 1 has not. */
  readonly version: 1 | 2;
  /** 1 for an agency's first entry, then without a gap. */
  readonly seq: number;
  /** UTC with microseconds: `2026-01-02T03:04:05.678901`. */
  readonly at: string;
  /** `network:<keyed digest>`, with `,session:<id>` when an officer had one; null for what no request did. */
  readonly origin: string | null;
  readonly why: Why | null;
  readonly previousHash: Buffer;
}

/** What an agency's first entry names as its previous hash. */
export const GENESIS = Buffer.alloc(32);

/**
 * SHA-256 over the previous hash and the UTF-8 of a JSON array of every field in fixed order, the detail as pairs sorted by
 * key. It needs no key, so anybody who has an export can check it.
 */
export function hashEntry(entry: AuditEntry): Buffer {
  const detail = Object.entries(entry.detail).sort(([a], [b]) => (a < b ? -1 : 1));
  const fields = [entry.agencyId, entry.seq, entry.at, entry.actor, entry.action, entry.thing, detail];
  const versioned = entry.version === 1 ? fields : [entry.version, ...fields, entry.origin, entry.why];
  return createHash('sha256').update(entry.previousHash).update(JSON.stringify(versioned)).digest();
}

/** Letters, digits and the marks of ids, codes, instants, base64 and zones: no space, so no name and no sentence. */
const REFERENCE = /^[\w:.,+/=-]{1,200}$/;

/**
 * Holds names and words out of the audit, which outlives the case.
 * @throws TypeError for a text that is not a reference, a code or a digest: a fault of the caller, not of a person.
 */
export function assertReferences(record: AuditRecord): void {
  const texts = [record.actor, record.action, record.thing, ...Object.entries(record.detail ?? {}).flat()];
  const stray = texts.some((text) => typeof text === 'string' && !REFERENCE.test(text));
  if (stray) throw new TypeError(`the audit takes references and digests only (${record.action})`);
}
