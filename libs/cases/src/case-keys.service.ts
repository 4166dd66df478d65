import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Keys } from '#platform';
import { caseErased } from './case.errors.ts';
import { CaseKey } from './case-key.ts';
import { CaseKeyRepository } from './case-key.repository.ts';

/** An opened key is remembered so long: a page of tips asks once, and a key destroyed by another process is soon gone here. */
const REMEMBERED_MS = 5_000;
const REMEMBERED = 500;

/**
 * The key of every case: 256 random bits, wrapped under a key derived from SECRET_KEY. Whoever destroys it has destroyed
 * all that it sealed, in every copy of the tables.
 */
@Injectable()
export class CaseKeys {
  private readonly remembered = new Map<string, { readonly key: CaseKey; readonly until: number }>();

  constructor(
    private readonly rows: CaseKeyRepository,
    private readonly keys: Keys,
  ) {}

  /** Makes the key of a new case. */
  async create(tx: EntityManager, caseId: string): Promise<CaseKey> {
    const key = randomBytes(32);
    await this.rows.insert(tx, caseId, this.keys.seal('case-key', key, caseId));
    return this.remember(caseId, new CaseKey(caseId, key));
  }

  /** @throws Refusal `case_erased` when the key is no more */
  async of(caseId: string, tx?: EntityManager): Promise<CaseKey> {
    const key = (await this.ofMany([caseId], tx)).get(caseId);
    if (!key) throw caseErased();
    return key;
  }

  /** The keys of those cases that still have one. */
  async ofMany(caseIds: readonly string[], tx?: EntityManager): Promise<ReadonlyMap<string, CaseKey>> {
    const found = new Map<string, CaseKey>();
    const unknown: string[] = [];
    for (const id of caseIds) {
      const known = this.recall(id);
      if (known) found.set(id, known);
      else unknown.push(id);
    }
    if (unknown.length === 0) return found;
    for (const { caseId, wrapped } of await this.rows.find(unknown, tx)) {
      const key = new CaseKey(caseId, this.keys.open('case-key', wrapped, caseId));
      found.set(caseId, this.remember(caseId, key));
    }
    return found;
  }

  /** Destroys a case's key for good: nothing that it sealed can ever be read again. */
  async destroy(tx: EntityManager, caseId: string): Promise<void> {
    await this.rows.remove(tx, caseId);
    this.remembered.delete(caseId);
  }

  private recall(caseId: string): CaseKey | undefined {
    const known = this.remembered.get(caseId);
    if (known && known.until > performance.now()) return known.key;
    this.remembered.delete(caseId);
    return undefined;
  }

  private remember(caseId: string, key: CaseKey): CaseKey {
    const [oldest = caseId] = this.remembered.keys();
    if (this.remembered.size >= REMEMBERED) this.remembered.delete(oldest);
    this.remembered.set(caseId, { key, until: performance.now() + REMEMBERED_MS });
    return key;
  }
}
