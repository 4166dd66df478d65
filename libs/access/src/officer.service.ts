import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull, Raw } from 'typeorm';
import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { Role } from './actor.ts';
import { Agency } from './agency.entity.ts';
import { Officer } from './officer.entity.ts';
import { hashPassword } from './password.ts';
import { Session } from './session.entity.ts';
import { unlessTaken } from './violation.ts';

export interface OfficerDraft {
  readonly agencyId: string;
  readonly login: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly password: string;
}

/** An officer as shown to themselves. */
export interface OfficerProfile {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly agency: { readonly id: string; readonly name: string };
}

@Injectable()
export class Officers {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * @returns the new officer's id.
   * @throws Refusal `roles_conflict`, `password_unsuitable`, `agency_not_found` or `login_taken`.
   */
  async create(tx: EntityManager, draft: OfficerDraft): Promise<string> {
    assertRoles(draft.roles);
    const passwordHash = await hashPassword(draft.password);
    if (!(await tx.existsBy(Agency, { id: draft.agencyId }))) {
      throw refuse('agency_not_found', 'There is no such agency.');
    }
    const { agencyId, login, name } = draft;
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
    if (!officer) throw refuse('officer_not_found', 'There is no such officer.');
    await tx.update(Officer, { id, disabledAt: IsNull() }, { disabledAt: () => 'now()' });
    await tx.update(Session, { officerId: id, revokedAt: IsNull() }, { revokedAt: () => 'now()' });
    return officer.agencyId;
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
    if (!officer) throw refuse('officer_not_found', 'There is no such officer.');
    const agency = await manager.findOneByOrFail(Agency, { id: officer.agencyId });
    const { name, roles } = officer;
    return { id, name, roles, agency: { id: agency.id, name: agency.name } };
  }
}

/** Who grants roles holds no other: see can(). */
function assertRoles(roles: readonly Role[]): void {
  if (!roles.includes('administrator') || new Set(roles).size === 1) return;
  throw refuse('roles_conflict', 'An administrator holds no other role. Make a second officer.');
}

function refuse(code: AccessRefusal, detail: string): Refusal {
  return new Refusal<AccessRefusal>(code, detail);
}
