import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull, Raw } from 'typeorm';
import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { Actor, Role } from './actor.ts';
import { Agency } from './agency.entity.ts';
import { type Action, authorize } from './can.ts';
import { GrantRepository } from './grant.repository.ts';
import { Officer } from './officer.entity.ts';
import { type ListedOfficer, OfficerRepository } from './officer.repository.ts';
import { hashNewPassword } from './password.ts';
import { assertRoles } from './roles.ts';
import { SessionRepository } from './session.repository.ts';
import { unlessTaken } from './violation.ts';

export interface OfficerDraft {
  readonly agencyId: string;
  readonly login: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** Left out for one who is invited to set their own. */
  readonly password?: string;
}

/** An officer as shown to themselves. */
export interface OfficerProfile {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly agency: { readonly id: string; readonly name: string };
}

/** What is done to an officer. */
type OfficerAction = Extract<Action, 'access.manage' | 'access.grant' | 'officer.freeze' | 'officer.thaw'>;

@Injectable()
export class Officers {
  constructor(
    private readonly dataSource: DataSource,
    private readonly officers: OfficerRepository,
    private readonly sessions: SessionRepository,
    private readonly grants: GrantRepository,
  ) {}

  /**
   * @returns the new officer's id.
   * @throws Refusal `roles_conflict`, `password_unsuitable`, `agency_not_found` or `login_taken`.
   */
  async create(tx: EntityManager, draft: OfficerDraft): Promise<string> {
    assertRoles(draft.roles);
    const { agencyId, login, name, password } = draft;
    const agency = await tx.findOneBy(Agency, { id: agencyId });
    if (!agency) throw refuse('agency_not_found', 'There is no such agency.');
    const passwordHash = password === undefined ? null : await hashNewPassword(password, [login, name, agency.name]);
    const id = randomUUID();
    const stored = tx.insert(Officer, { id, agencyId, login, name, passwordHash, roles: [...new Set(draft.roles)] });
    await unlessTaken(stored, refuse('login_taken', 'Another officer has this login.'));
    return id;
  }

  /**
   * Shuts an officer out: no new sign-in, and every session ends with `tx`. Again is no fault.
   * @returns the officer's agency.
   * @throws Refusal `officer_not_found`.
   */
  async disable(tx: EntityManager, id: string): Promise<string> {
    const officer = await tx.findOneBy(Officer, { id });
    if (!officer) throw officerNotFound();
    await tx.update(Officer, { id, disabledAt: IsNull() }, { disabledAt: () => 'now()' });
    await this.shutOut(tx, id);
    return officer.agencyId;
  }

  /**
   * Loads an officer for an act, holding their row until the transaction ends.
   * @throws Refusal `officer_not_found` (also for another agency's), `forbidden`, `own_access`, `step_up_required`
   */
  async lock(tx: EntityManager, actor: Actor, action: OfficerAction, id: string): Promise<Officer> {
    // Not FOR UPDATE: rows that name the officer need not wait.
    const officer = await tx.findOne(Officer, { where: { id }, lock: { mode: 'for_no_key_update' } });
    if (!officer) throw officerNotFound();
    authorize(actor, action, { agencyId: officer.agencyId, officerId: id, authorIds: [] }, officerNotFound());
    return officer;
  }

  /**
   * Shuts an officer out with `tx`, until a {@link thaw}: every session ends at its next request, and nobody confirms the roles
   * that they proposed. Again is no fault.
   * Authority is for {@link lock}, and what the officer released is for dispatch.
   */
  async freeze(tx: EntityManager, id: string): Promise<void> {
    await tx.update(Officer, { id, frozenAt: IsNull() }, { frozenAt: () => 'now()' });
    await this.shutOut(tx, id);
  }

  /** Lets a frozen officer in again; they must sign in anew. */
  async thaw(tx: EntityManager, id: string): Promise<void> {
    await tx.update(Officer, { id }, { frozenAt: null });
  }

  /**
   * Holds an acting officer and their agency as they are: a freeze waits for the act, or the act is refused. To come before
   * every other lock of the act.
   * @throws Refusal `session_invalid` for one who was frozen since the request began
   */
  async demandStanding(tx: EntityManager, actor: Actor): Promise<void> {
    if (actor.kind !== 'officer' || (await this.officers.holdStanding(tx, actor.id))) return;
    throw refuse('session_invalid', 'Your session has ended. Sign in again.');
  }

  /** An agency's officers, by name; authority and the audit are the caller's. */
  list(tx: EntityManager, agencyId: string): Promise<ListedOfficer[]> {
    return this.officers.list(tx, agencyId);
  }

  /** @throws Refusal `officer_not_found`. */
  async idByLogin(login: string): Promise<string> {
    const sameLogin = Raw((column) => `lower(${column}) = lower(:login)`, { login });
    const officer = await this.dataSource.manager.findOneBy(Officer, { login: sameLogin });
    if (!officer) throw refuse('officer_not_found', 'There is no officer with this login.');
    return officer.id;
  }

  /** @throws Refusal `officer_not_found`. */
  async profileOf(id: string): Promise<OfficerProfile> {
    const { manager } = this.dataSource;
    const officer = await manager.findOneBy(Officer, { id });
    if (!officer) throw officerNotFound();
    const agency = await manager.findOneByOrFail(Agency, { id: officer.agencyId });
    const { name, roles } = officer;
    return { id, name, roles, agency: { id: agency.id, name: agency.name } };
  }

  private async shutOut(tx: EntityManager, id: string): Promise<void> {
    await this.sessions.revokeAll(tx, id);
    await this.grants.overtakeOf(tx, id);
  }
}

function officerNotFound(): Refusal {
  return refuse('officer_not_found', 'There is no such officer.');
}

function refuse(code: AccessRefusal, detail: string): Refusal {
  return new Refusal<AccessRefusal>(code, detail);
}
