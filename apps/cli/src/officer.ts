import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Invitations, Officers, type Role } from '#access';
import { act, withServices } from './context.ts';
import { CommandError, type Io, type Row } from './io.ts';

export interface OfficerOptions {
  readonly agency: string;
  readonly login: string;
  readonly name: string;
  readonly roles: readonly Role[];
  /** A file, or `-` for the standard input; without it a password is made and told this once. */
  readonly passwordFile?: string;
}

export function createOfficer(io: Io, options: OfficerOptions): Promise<{ officer: string; password?: string }> {
  return withServices(io, async (services) => {
    const { agency: agencyId, login, name, roles, passwordFile } = options;
    const made = passwordFile === undefined ? { password: newPassword() } : {};
    const password = made.password ?? (await readPassword(io, passwordFile ?? '-'));
    return act(services, async ({ tx }) => {
      const officers = services.get(Officers, { strict: false });
      const officer = await officers.create(tx, { agencyId, login, name, roles, password });
      return {
        result: { officer, ...made },
        record: {
          agencyId,
          action: 'officer.create',
          thing: `officer:${officer}`,
          detail: { roles: roles.join(',') },
        },
      };
    });
  });
}

export function disableOfficer(io: Io, login: string): Promise<{ officer: string }> {
  return withServices(io, async (services) => {
    const officers = services.get(Officers, { strict: false });
    const officer = await officers.idByLogin(login);
    return act(services, async ({ tx }) => {
      const agencyId = await officers.disable(tx, officer);
      return { result: { officer }, record: { agencyId, action: 'officer.disable', thing: `officer:${officer}` } };
    });
  });
}

/** Lets an officer set their password anew, e.g. the last administrator of an agency. */
export function inviteOfficer(
  io: Io,
  login: string,
): Promise<{ officer: string; invitation: string; expiresAt: string }> {
  return withServices(io, async (services) => {
    const officers = services.get(Officers, { strict: false });
    const officer = await officers.idByLogin(login);
    return act(services, async ({ tx }) => {
      const { secret, expiresAt } = await services.get(Invitations, { strict: false }).issue(tx, officer);
      const { agency } = await officers.profileOf(officer);
      return {
        result: { officer, invitation: secret, expiresAt: expiresAt.toISOString() },
        record: { agencyId: agency.id, action: 'officer.invitation', thing: `officer:${officer}` },
      };
    });
  });
}

/** Lets a frozen officer in again, e.g. the last administrator of an agency. */
export function thawOfficer(io: Io, login: string): Promise<{ officer: string }> {
  return withServices(io, async (services) => {
    const officers = services.get(Officers, { strict: false });
    const officer = await officers.idByLogin(login);
    return act(services, async ({ tx }) => {
      await officers.thaw(tx, officer);
      const { agency } = await officers.profileOf(officer);
      return {
        result: { officer },
        record: { agencyId: agency.id, action: 'officer.thaw', thing: `officer:${officer}` },
      };
    });
  });
}

export function listOfficers(io: Io, agencyId: string): Promise<{ officers: Row[] }> {
  return withServices(io, (services) =>
    act(services, async ({ tx }) => {
      const officers = await services.get(Officers, { strict: false }).list(tx, agencyId);
      const rows = officers.map(({ id, login, name, roles, frozenAt, disabledAt, passwordSet, secondFactor }) => ({
        id,
        login,
        name,
        roles: roles.join(','),
        state: disabledAt ? 'disabled' : frozenAt ? 'frozen' : passwordSet ? 'active' : 'invited',
        secondFactor: secondFactor ? 'yes' : 'no',
      }));
      const thing = `agency:${agencyId}`;
      return {
        result: { officers: rows },
        record: { agencyId, action: 'officer.list', thing, detail: { officers: rows.length } },
      };
    }),
  );
}

/** 120 random bits in characters that can be read over a telephone line if they must. */
function newPassword(): string {
  return randomBytes(15).toString('hex').match(/.{6}/g)?.join('-') ?? '';
}

/** One line: an editor's or echo's last newline is not a part of it. */
async function readPassword(io: Io, path: string): Promise<string> {
  const words = path === '-' ? await io.input() : await readFile(path, 'utf8').catch(() => null);
  if (words === null) throw new CommandError(`${path} cannot be read`);
  return words.replace(/\r?\n$/, '');
}
