import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** An agency's identity provider (OpenID Connect). */
export interface OidcProvider {
  readonly agencyId: string;
  /** The issuer identifier, as its tokens name it: https, without query or fragment. */
  readonly issuer: string;
  readonly clientId: string;
  /** Whether the agency's officers sign in through it alone: their passwords let nobody in. */
  readonly required: boolean;
}

@Injectable()
export class OidcProviderRepository {
  async find(tx: EntityManager, agencyId: string): Promise<OidcProvider | undefined> {
    const rows = await tx.query<OidcProvider[]>(
      `SELECT agency_id AS "agencyId", issuer, client_id AS "clientId", required
       FROM identity_providers WHERE agency_id = $1`,
      [agencyId],
    );
    return rows[0];
  }

  async set(tx: EntityManager, { agencyId, issuer, clientId, required }: OidcProvider): Promise<void> {
    await tx.query(
      `INSERT INTO identity_providers (agency_id, issuer, client_id, required) VALUES ($1, $2, $3, $4)
       ON CONFLICT (agency_id) DO UPDATE SET issuer = $2, client_id = $3, required = $4`,
      [agencyId, issuer, clientId, required],
    );
  }

  /** @returns whether there was one. */
  async remove(tx: EntityManager, agencyId: string): Promise<boolean> {
    const [, removed] = await tx.query<[unknown, number]>('DELETE FROM identity_providers WHERE agency_id = $1', [
      agencyId,
    ]);
    return removed === 1;
  }

  async link(tx: EntityManager, officerId: string, issuer: string, subject: string): Promise<void> {
    await tx.query(
      `INSERT INTO officer_identities (officer_id, issuer, subject) VALUES ($1, $2, $3)
       ON CONFLICT (officer_id) DO UPDATE SET issuer = $2, subject = $3, created_at = now()`,
      [officerId, issuer, subject],
    );
  }

  /** @returns whether the officer had one. */
  async unlink(tx: EntityManager, officerId: string): Promise<boolean> {
    const [, removed] = await tx.query<[unknown, number]>('DELETE FROM officer_identities WHERE officer_id = $1', [
      officerId,
    ]);
    return removed === 1;
  }

  /** The agency's officer whom its provider knows as `subject`, unless somebody has shut them out. */
  async officerOf(tx: EntityManager, { agencyId, issuer }: OidcProvider, subject: string): Promise<string | null> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT officer.id FROM officer_identities AS identity
       JOIN officers AS officer ON officer.id = identity.officer_id
       JOIN agencies AS agency ON agency.id = officer.agency_id
       WHERE identity.issuer = $2 AND identity.subject = $3 AND officer.agency_id = $1
         AND officer.disabled_at IS NULL AND officer.frozen_at IS NULL AND agency.frozen_at IS NULL`,
      [agencyId, issuer, subject],
    );
    return rows[0]?.id ?? null;
  }

  /** Whether the officer's password lets nobody in, because the agency demands its provider. */
  async isDemandedOf(tx: EntityManager, officerId: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `SELECT 1 FROM officers JOIN identity_providers USING (agency_id) WHERE officers.id = $1 AND required`,
      [officerId],
    );
    return rows.length > 0;
  }
}
