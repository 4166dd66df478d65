import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, Not } from 'typeorm';
import type { Role } from './actor.ts';
import { Grant } from './grant.entity.ts';
import { Officer } from './officer.entity.ts';

/** What a check of a password needs of an officer who may sign in. */
export type Credentials = Pick<Officer, 'id' | 'agencyId' | 'login' | 'passwordHash'>;

/** An officer as administrators see them. */
export interface ListedOfficer extends Pick<
  Officer,
  'id' | 'login' | 'name' | 'roles' | 'createdAt' | 'frozenAt' | 'disabledAt'
> {
  readonly passwordSet: boolean;
  readonly invitationOpen: boolean;
  /** Whether they have a second factor. */
  readonly secondFactor: boolean;
  /** The roles that wait for a second person. */
  readonly proposedRoles: readonly Role[] | null;
}

const CREDENTIALS = `officer.id, officer.agency_id AS "agencyId", officer.login, officer.password_hash AS "passwordHash"`;

/** Neither disabled nor frozen, alone or with the agency. */
const LET_IN = 'officer.disabled_at IS NULL AND officer.frozen_at IS NULL AND agency.frozen_at IS NULL';

const FROM = 'officers AS officer JOIN agencies AS agency ON agency.id = officer.agency_id';

@Injectable()
export class OfficerRepository {
  async byLogin(tx: EntityManager, login: string): Promise<Credentials | undefined> {
    const rows = await tx.query<Credentials[]>(
      `SELECT ${CREDENTIALS} FROM ${FROM} WHERE lower(officer.login) = lower($1) AND ${LET_IN}`,
      [login],
    );
    return rows[0];
  }

  async byId(tx: EntityManager, id: string): Promise<Credentials | undefined> {
    const rows = await tx.query<Credentials[]>(
      `SELECT ${CREDENTIALS} FROM ${FROM} WHERE officer.id = $1 AND ${LET_IN}`,
      [id],
    );
    return rows[0];
  }

  /** The officer whose open invitation this is, held until the transaction ends. */
  async byInvitation(tx: EntityManager, secretHash: Buffer): Promise<Credentials | undefined> {
    const rows = await tx.query<Credentials[]>(
      `SELECT ${CREDENTIALS} FROM ${FROM} JOIN invitations AS invitation ON invitation.officer_id = officer.id
       WHERE invitation.secret_hash = $1 AND invitation.expires_at > now() AND ${LET_IN}
       FOR UPDATE OF officer, invitation`,
      [secretHash],
    );
    return rows[0];
  }

  /** Holds the officer as they are while a session opens: a changed password or a freeze waits or is seen, a new second factor waits. */
  async holdForSignIn(
    tx: EntityManager,
    { id, passwordHash }: Pick<Credentials, 'id' | 'passwordHash'>,
  ): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `SELECT 1 FROM ${FROM} WHERE officer.id = $1 AND officer.password_hash IS NOT DISTINCT FROM $2 AND ${LET_IN}
       FOR SHARE OF officer`,
      [id, passwordHash],
    );
    return rows.length === 1;
  }

  /** Holds the officer's row, so that no session opens meanwhile. */
  async hold(tx: EntityManager, id: string): Promise<void> {
    await tx.query('SELECT 1 FROM officers WHERE id = $1 FOR UPDATE', [id]);
  }

  /** Holds an officer and their agency against a freeze. @returns whether they are let in */
  async holdStanding(tx: EntityManager, id: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `SELECT 1 FROM ${FROM} WHERE officer.id = $1 AND ${LET_IN} FOR SHARE OF officer, agency`,
      [id],
    );
    return rows.length === 1;
  }

  async setPassword(tx: EntityManager, id: string, passwordHash: string): Promise<void> {
    await tx.update(Officer, { id }, { passwordHash });
  }

  /** Only over the hash that was checked: a password changed meanwhile stays. */
  async rehash(tx: EntityManager, id: string, from: string, to: string): Promise<void> {
    await tx.update(Officer, { id, passwordHash: from }, { passwordHash: to });
  }

  /** Words that others connect with the officer. */
  async contextOf(tx: EntityManager, id: string): Promise<string[]> {
    const rows = await tx.query<{ login: string; name: string; agency: string }[]>(
      `SELECT officer.login, officer.name, agency.name AS agency FROM ${FROM} WHERE officer.id = $1`,
      [id],
    );
    return rows.flatMap(({ login, name, agency }) => [login, name, agency]);
  }

  async setRoles(tx: EntityManager, id: string, roles: readonly Role[]): Promise<void> {
    await tx.update(Officer, { id }, { roles: [...roles] });
  }

  async hasPassword(tx: EntityManager, id: string): Promise<boolean> {
    return tx.existsBy(Officer, { id, passwordHash: Not(IsNull()) });
  }

  /** The roles that wait for a second person, or null. */
  async proposedRoles(tx: EntityManager, officerId: string): Promise<Role[] | null> {
    return (await tx.findOneBy(Grant, { officerId, state: 'proposed' }))?.roles ?? null;
  }

  /** By name. */
  async list(tx: EntityManager, agencyId: string): Promise<ListedOfficer[]> {
    return tx.query<ListedOfficer[]>(
      `SELECT officer.id, officer.login, officer.name, officer.roles, officer.created_at AS "createdAt",
              officer.frozen_at AS "frozenAt", officer.disabled_at AS "disabledAt",
              officer.password_hash IS NOT NULL AS "passwordSet",
              EXISTS (SELECT FROM invitations WHERE officer_id = officer.id AND expires_at > now()) AS "invitationOpen",
              EXISTS (SELECT FROM second_factors WHERE officer_id = officer.id AND confirmed_at IS NOT NULL)
                AS "secondFactor",
              (SELECT roles FROM role_grants WHERE officer_id = officer.id AND state = 'proposed') AS "proposedRoles"
       FROM officers AS officer WHERE officer.agency_id = $1 ORDER BY officer.name, officer.id`,
      [agencyId],
    );
  }
}
