import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Audit } from '#audit';
import { isRefusal, type RateLimit, RateLimits, Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { type Credentials, OfficerRepository } from './officer.repository.ts';
import { OidcProviderRepository } from './oidc-provider.repository.ts';
import { hashPassword, isOutdated, unmatchableHash, verifyPassword } from './password.ts';
import { type Attempt, type Client, SIGN_IN_LIMITS, SignInThrottle } from './sign-in-throttle.ts';

/** An officer whose password was right; their attempt still counts as failed until it is told otherwise. */
export interface Checked {
  readonly officer: Credentials;
  readonly attempt: Attempt;
}

/** Checks passwords, throttled, and tells the audit of those who are stopped. */
@Injectable()
export class PasswordCheck {
  private readonly logger = new Logger(PasswordCheck.name);
  private readonly unmatchable = unmatchableHash();
  private readonly told: RateLimit;

  constructor(
    private readonly dataSource: DataSource,
    private readonly officers: OfficerRepository,
    private readonly providers: OidcProviderRepository,
    private readonly throttle: SignInThrottle,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
    limits: RateLimits,
  ) {
    this.told = limits.of({ name: 'sign-in:told', points: 1, windowS: SIGN_IN_LIMITS.pair.blockS });
  }

  /**
   * Checks a login and its password. An unknown login, an officer who is disabled, frozen or without a password, and a wrong
   * password take the same path and get the same answer.
   * @throws Refusal `sign_in_failed` or `too_many_attempts`.
   */
  async ofLogin(login: string, password: string, client: Client): Promise<Checked> {
    const attempt = await this.admit(login, client);
    const officer = await this.officers.byLogin(this.dataSource.manager, login);
    const matches = await verifyPassword(officer?.passwordHash ?? (await this.unmatchable), password);
    if (!officer || !matches || (await this.isOff(officer))) throw signInFailed();
    return { officer: await this.renewed(officer, password), attempt };
  }

  /**
   * Checks the password of an officer who is signed in.
   * @throws Refusal `password_wrong` or `too_many_attempts`.
   */
  async ofOfficer(id: string, password: string, client: Client): Promise<Checked> {
    const officer = await this.officers.byId(this.dataSource.manager, id);
    if (!officer?.passwordHash) throw passwordWrong();
    const attempt = await this.admit(officer.login, client);
    const matches = await verifyPassword(officer.passwordHash, password);
    if (!matches || (await this.isOff(officer))) throw passwordWrong();
    return { officer, attempt };
  }

  /** Whether the officer's agency demands its identity provider instead. */
  private isOff({ id }: Credentials): Promise<boolean> {
    return this.providers.isDemandedOf(this.dataSource.manager, id);
  }

  /** Counts the try of a code. @throws Refusal `too_many_attempts` */
  admitCode({ officer, attempt }: Checked): Promise<void> {
    return this.telling(officer.login, attempt.code());
  }

  private admit(login: string, client: Client): Promise<Attempt> {
    return this.telling(login, this.throttle.admit(login, client));
  }

  private async telling<Result>(login: string, admission: Promise<Result>): Promise<Result> {
    try {
      return await admission;
    } catch (error) {
      // Not awaited: how long the answer takes must not tell whether the login is known.
      if (isRefusal(error)) void this.tell(login);
      throw error;
    }
  }

  /** One entry per officer and quarter of an hour, so that guessing cannot flood a chain. */
  private async tell(login: string): Promise<void> {
    try {
      if ((await this.told.consume(login.toLowerCase())) !== null) return;
      await this.transactions.run(async ({ tx }) => {
        const officer = await this.officers.byLogin(tx, login);
        if (!officer) return;
        const { id, agencyId } = officer;
        const entry = { agencyId, actor: 'unknown', action: 'session.refuse', thing: `officer:${id}` };
        await this.audit.record(tx, { ...entry, detail: { cause: 'too_many_attempts' } });
      });
    } catch (error) {
      this.logger.error({ err: error as Error }, 'throttled sign-ins could not be recorded');
    }
  }

  /** Raises a hash of other parameters to today's. */
  private async renewed(officer: Credentials, password: string): Promise<Credentials> {
    const { id, passwordHash } = officer;
    if (!passwordHash || !isOutdated(passwordHash)) return officer;
    const renewed = await hashPassword(password);
    await this.officers.rehash(this.dataSource.manager, id, passwordHash, renewed);
    return { ...officer, passwordHash: renewed };
  }
}

/** One answer for whatever was wrong. */
export function signInFailed(): Refusal<AccessRefusal> {
  return new Refusal(
    'sign_in_failed',
    'The login, the password or the code is wrong. A code counts once: wait for the next one. Or ask an administrator.',
  );
}

export function passwordWrong(): Refusal<AccessRefusal> {
  return new Refusal('password_wrong', 'The password is wrong.');
}
