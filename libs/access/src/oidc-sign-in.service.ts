import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { networkOf, type RateLimit, RateLimits, Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { OidcFlow } from './oidc-flow.ts';
import { Oidc, type Recognised } from './oidc.service.ts';
import { type Credentials, OfficerRepository } from './officer.repository.ts';
import { type FactorShown, SecondFactor } from './second-factor.service.ts';
import { type Beginning, type Opened, SignIn } from './sign-in.service.ts';
import { type Client, SignInThrottle } from './sign-in-throttle.ts';

/** Returns from providers that one network may bring in ten minutes: an agency's whole shift, not a machine. */
const RETURNS = { points: 120, windowS: 600 } as const;

/** How a return from the provider ends: a session opened, the present one stepped up, or a code of ours owed. */
export type OidcEnd =
  | { readonly end: 'opened'; readonly opened: Opened }
  | { readonly end: 'stepped_up' }
  | { readonly end: 'code_owed'; readonly held: string };

/**
 * Signs officers in by what their agency's provider says. The provider's word is a second factor when it says that one was
 * shown; else an officer who has set one up with us owes its code, and one who has not is let in as after a password alone.
 */
@Injectable()
export class OidcSignIn {
  private readonly returns: RateLimit;

  constructor(
    private readonly dataSource: DataSource,
    private readonly oidc: Oidc,
    private readonly signIn: SignIn,
    private readonly officers: OfficerRepository,
    private readonly secondFactor: SecondFactor,
    private readonly throttle: SignInThrottle,
    private readonly transactions: Transactions,
    limits: RateLimits,
  ) {
    this.returns = limits.of({ name: 'sign-in:oidc', ...RETURNS });
  }

  /** @throws Refusal as {@link Oidc.finish}, or `too_many_attempts`. */
  async take(agencyId: string, search: string, browser: Browser): Promise<OidcEnd> {
    const retryAfter = await this.returns.consume(networkOf(browser.client.address));
    if (retryAfter !== null) throw tooMany(retryAfter);
    const recognised = await this.oidc.finish(agencyId, search, browser.held);
    const { officerId, secondFactor, flow } = recognised;
    if (!secondFactor && (await this.secondFactor.isEnrolled(officerId))) return owing(this.oidc, recognised);
    const shown = { factor: 'identity_provider' as const, secondFactor };
    return this.transactions.run(({ tx }) => this.complete(tx, { ...flow, officerId }, shown, browser));
  }

  /**
   * Pays the code that is owed.
   * @throws Refusal `sign_in_failed` or `too_many_attempts`.
   */
  async pay(code: string, browser: Browser): Promise<OidcEnd> {
    const flow = this.oidc.debtor(browser.held);
    const { login } = await this.officerOf(this.dataSource.manager, flow.officerId);
    const attempt = await this.throttle.admit(login, browser.client);
    await attempt.code();
    const end = await this.transactions.run(async ({ tx }) => {
      const factor = await this.secondFactor.use(tx, flow.officerId, code);
      if (!factor) throw codeFailed();
      return this.complete(tx, flow, { factor, secondFactor: true }, browser);
    });
    await attempt.succeeded();
    return end;
  }

  private async complete(
    tx: EntityManager,
    { officerId, stepUp, agencyId }: Pick<OidcFlow<'proved'>, 'officerId' | 'stepUp' | 'agencyId'>,
    shown: { readonly factor: FactorShown | 'identity_provider'; readonly secondFactor: boolean },
    { client, earlier }: Browser,
  ): Promise<OidcEnd> {
    const officer = await this.officerOf(tx, officerId);
    if (stepUp) {
      await this.signIn.steppedUp(tx, { id: officerId, agencyId, sessionId: stepUp.sessionId }, shown.factor);
      return { end: 'stepped_up' };
    }
    return { end: 'opened', opened: await this.signIn.begin(tx, officer, { ...shown, client, earlier }) };
  }

  private async officerOf(tx: EntityManager, id: string): Promise<Credentials> {
    const officer = await this.officers.byId(tx, id);
    if (!officer) throw codeFailed();
    return officer;
  }
}

/** What the browser brought. */
export interface Browser extends Pick<Beginning, 'client' | 'earlier'> {
  readonly client: Client;
  /** What it holds for us since it was sent to the provider. */
  readonly held: string | undefined;
}

function owing(oidc: Oidc, recognised: Recognised): OidcEnd {
  return { end: 'code_owed', held: oidc.owe(recognised) };
}

function codeFailed(): Refusal {
  return new Refusal<AccessRefusal>('sign_in_failed', 'The code is wrong or was used already, or you may not sign in.');
}

function tooMany(retryAfter: number): Refusal {
  const detail = 'Too many sign-ins came from your network. Wait before you try again.';
  return new Refusal<AccessRefusal>('too_many_attempts', detail, { retryAfter });
}
