import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull } from 'typeorm';
import { hashSecret, newSecret, Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { AgencyKeyActor } from './actor.ts';
import { AgencyKey } from './agency-key.entity.ts';
import { AgencyKeyRepository } from './agency-key.repository.ts';

/** Keys by which other police systems post cases. */
@Injectable()
export class AgencyKeys {
  constructor(private readonly keys: AgencyKeyRepository) {}

  /** @returns the key's id and its secret, which is told this once and not kept. */
  async create(tx: EntityManager, agencyId: string, label: string): Promise<{ id: string; secret: string }> {
    const id = randomUUID();
    const secret = newSecret();
    await tx.insert(AgencyKey, { id, agencyId, label, secretHash: hashSecret(secret) });
    return { id, secret };
  }

  /**
   * Ends a key at once; again is no fault.
   * @returns the agency it belonged to.
   * @throws Refusal `agency_key_not_found`.
   */
  async revoke(tx: EntityManager, id: string): Promise<string> {
    const key = await tx.findOneBy(AgencyKey, { id });
    if (!key) throw new Refusal<AccessRefusal>('agency_key_not_found', 'There is no such agency key.');
    await tx.update(AgencyKey, { id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
    return key.agencyId;
  }

  /** @throws Refusal `agency_key_invalid` for a secret that is unknown or revoked, or whose agency is frozen. */
  async actorOf(secret: string): Promise<AgencyKeyActor> {
    const key = await this.keys.live(hashSecret(secret));
    if (!key) throw new Refusal<AccessRefusal>('agency_key_invalid', 'The agency key is unknown or was revoked.');
    return { kind: 'agency_key', id: key.id, agencyId: key.agencyId };
  }
}
