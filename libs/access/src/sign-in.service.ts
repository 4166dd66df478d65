import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { Officer } from './officer.entity.ts';
import { hashPassword, isOutdated, unmatchableHash, verifyPassword } from './password.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

/** Checks who is at the door. */
@Injectable()
export class SignIn {
  private readonly unmatchable = unmatchableHash();

  constructor(
    private readonly dataSource: DataSource,
    private readonly throttle: SignInThrottle,
  ) {}

  /**
   * Checks a login and its password. An unknown login, a disabled officer and a wrong password take the same path and get
   * the same answer.
   * @param address of the client, to throttle by.
   * @throws Refusal `sign_in_failed` or `too_many_attempts`.
   */
  async check(login: string, password: string, address: string): Promise<Pick<Officer, 'id' | 'agencyId'>> {
    const attempt = await this.throttle.admit(login, address);
    const officer = await this.find(login);
    const matches = await verifyPassword(officer?.passwordHash ?? (await this.unmatchable), password);
    if (!officer || !matches) throw new Refusal<AccessRefusal>('sign_in_failed', 'The login or the password is wrong.');
    await attempt.succeeded();
    if (isOutdated(officer.passwordHash)) await this.rehash(officer, password);
    return officer;
  }

  private find(login: string): Promise<Officer | null> {
    return this.dataSource.manager
      .createQueryBuilder(Officer, 'officer')
      .addSelect('officer.passwordHash')
      .where('lower(officer.login) = lower(:login)', { login })
      .andWhere({ disabledAt: IsNull() })
      .getOne();
  }

  /** Only over the hash that was checked: a password changed meanwhile stays. */
  private async rehash({ id, passwordHash }: Officer, password: string): Promise<void> {
    await this.dataSource.manager.update(Officer, { id, passwordHash }, { passwordHash: await hashPassword(password) });
  }
}
