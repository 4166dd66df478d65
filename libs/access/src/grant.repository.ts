import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Role } from './actor.ts';
import { Grant } from './grant.entity.ts';

/** A grant as those see it who may confirm it. */
export interface OpenGrant {
  readonly id: string;
  readonly agencyId: string;
  readonly officer: {
    readonly id: string;
    readonly login: string;
    readonly name: string;
    readonly roles: readonly Role[];
  };
  readonly roles: readonly Role[];
  readonly proposedBy: { readonly id: string; readonly name: string };
  readonly proposedAt: Date;
  /** Whether somebody can still set the officer's password by an invitation. */
  readonly invitationOpen: boolean;
}

@Injectable()
export class GrantRepository {
  async insert(tx: EntityManager, grant: Pick<Grant, 'id' | 'officerId' | 'agencyId' | 'roles' | 'proposedBy'>) {
    await tx.insert(Grant, grant);
  }

  /** Closes the officer's open grant, if there is one. */
  async overtake(tx: EntityManager, officerId: string): Promise<void> {
    await tx.update(Grant, { officerId, state: 'proposed' }, { state: 'overtaken' });
  }

  /** Closes what an officer proposed. */
  async overtakeOf(tx: EntityManager, proposedBy: string): Promise<void> {
    await tx.update(Grant, { proposedBy, state: 'proposed' }, { state: 'overtaken' });
  }

  find(tx: EntityManager, id: string): Promise<Grant | null> {
    return tx.findOneBy(Grant, { id });
  }

  /** @returns whether it was still open. */
  async settle(tx: EntityManager, id: string, state: 'confirmed' | 'refused', decidedBy: string): Promise<boolean> {
    const patch = { state, decidedBy, decidedAt: () => 'now()' };
    return (await tx.update(Grant, { id, state: 'proposed' }, patch)).affected === 1;
  }

  /** Open grants of these agencies, oldest first. */
  async open(tx: EntityManager, agencyIds: readonly string[]): Promise<OpenGrant[]> {
    return tx.query<OpenGrant[]>(
      `SELECT role_grant.id, role_grant.agency_id AS "agencyId", role_grant.roles, role_grant.proposed_at AS "proposedAt",
              json_build_object('id', officer.id, 'login', officer.login, 'name', officer.name, 'roles', officer.roles)
                AS officer,
              json_build_object('id', proposer.id, 'name', proposer.name) AS "proposedBy",
              EXISTS (SELECT FROM invitations WHERE officer_id = officer.id AND expires_at > now()) AS "invitationOpen"
       FROM role_grants AS role_grant
       JOIN officers AS officer ON officer.id = role_grant.officer_id
       JOIN officers AS proposer ON proposer.id = role_grant.proposed_by
       WHERE role_grant.state = 'proposed' AND role_grant.agency_id = ANY($1)
       ORDER BY role_grant.proposed_at, role_grant.id`,
      [agencyIds],
    );
  }
}
