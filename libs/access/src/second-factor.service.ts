import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Audit } from '#audit';
import { Clock, ENV, type Env, Keys, Refusal, Transactions } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import { actorReference, type OfficerActor } from './actor.ts';
import { demandStepUp } from './can.ts';
import { OfficerRepository } from './officer.repository.ts';
import { hashRecoveryCode, newRecoveryCode, RECOVERY_CODES } from './recovery-code.ts';
import { isSecondFactorRequired } from './second-factor-policy.ts';
import { SecondFactorRepository } from './second-factor.repository.ts';
import { Sessions } from './session.service.ts';
import { newTotpSecret, totpStep, totpUri } from './totp.ts';

/** How a second factor was shown. */
export type FactorShown = 'totp' | 'recovery_code';

export interface SecondFactorStatus {
  readonly enrolled: boolean;
  /** Whether this deployment demands one of every officer. */
  readonly required: boolean;
  readonly recoveryCodesLeft: number;
}

/** An officer's authenticator app (TOTP) and recovery codes: something they have beside the password they know. */
@Injectable()
export class SecondFactor {
  readonly required: boolean;

  constructor(
    private readonly dataSource: DataSource,
    private readonly factors: SecondFactorRepository,
    private readonly officers: OfficerRepository,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
    private readonly keys: Keys,
    private readonly clock: Clock,
    @Inject(ENV) env: Env,
  ) {
    this.required = isSecondFactorRequired(env);
  }

  async status(officerId: string): Promise<SecondFactorStatus> {
    const { manager } = this.dataSource;
    const enrolled = (await this.factors.find(manager, officerId))?.confirmedAt != null;
    const recoveryCodesLeft = enrolled ? await this.factors.countRecoveryCodes(manager, officerId) : 0;
    return { enrolled, required: this.required, recoveryCodesLeft };
  }

  /**
   * Begins: gives the secret to the officer's app. Nothing counts before {@link confirm}; to begin again is no fault.
   * @returns the secret in base32 and the `otpauth://` URI for a QR code, told this once.
   * @throws Refusal `step_up_required`, `second_factor_enrolled`
   */
  begin(actor: OfficerActor): Promise<{ secret: string; uri: string }> {
    demandStepUp(actor);
    return this.transactions.run(async ({ tx }) => {
      const login = (await this.officers.byId(tx, actor.id))?.login ?? '';
      const secret = newTotpSecret();
      const began = await this.factors.begin(tx, actor.id, this.seal(actor.id, secret));
      if (!began) throw refuse('second_factor_enrolled', 'There is a second factor already. Remove it first.');
      return { secret, uri: totpUri(secret, login) };
    });
  }

  /**
   * Enrols with the app's first code, and ends the officer's other sessions.
   * @returns recovery codes, told this once.
   * @throws Refusal `second_factor_not_enrolled`, `second_factor_enrolled`, `second_factor_code_wrong`
   */
  confirm(actor: OfficerActor, code: string): Promise<string[]> {
    return this.transactions.run(async ({ tx }) => {
      await this.officers.hold(tx, actor.id);
      const begun = await this.factors.find(tx, actor.id);
      if (!begun) throw refuse('second_factor_not_enrolled', 'Begin with POST /v1/second-factor.');
      if (begun.confirmedAt) throw refuse('second_factor_enrolled', 'There is a second factor already.');
      if (!(await this.useTotp(tx, actor.id, begun.secret, code))) throw codeWrong();
      await this.factors.confirm(tx, actor.id);
      await this.sessions.setSecondFactor(tx, actor.sessionId, true);
      await this.sessions.revokeAll(tx, actor.id, actor.sessionId);
      const codes = await this.newCodes(tx, actor.id);
      await this.record(tx, actor, 'second_factor.enrol');
      return codes;
    });
  }

  /** Replaces the recovery codes. @throws Refusal `step_up_required`, `second_factor_not_enrolled` */
  regenerate(actor: OfficerActor): Promise<string[]> {
    demandStepUp(actor);
    return this.transactions.run(async ({ tx }) => {
      if (!(await this.factors.find(tx, actor.id))?.confirmedAt) throw notEnrolled();
      const codes = await this.newCodes(tx, actor.id);
      await this.record(tx, actor, 'second_factor.codes');
      return codes;
    });
  }

  /** Removes the officer's own, and ends their other sessions. @throws Refusal `step_up_required`, `second_factor_not_enrolled` */
  remove(actor: OfficerActor): Promise<void> {
    demandStepUp(actor);
    return this.transactions.run(async ({ tx }) => {
      if (!(await this.factors.remove(tx, actor.id))) throw notEnrolled();
      await this.sessions.setSecondFactor(tx, actor.sessionId, false);
      await this.sessions.revokeAll(tx, actor.id, actor.sessionId);
      await this.record(tx, actor, 'second_factor.remove');
    });
  }

  /** Forgets an officer's with `tx` and ends their sessions; authority and the audit are the caller's. */
  async reset(tx: EntityManager, officerId: string): Promise<void> {
    await this.factors.remove(tx, officerId);
    await this.sessions.revokeAll(tx, officerId);
  }

  /** Whether a sign-in of the officer takes a code. */
  async isEnrolled(officerId: string, tx: EntityManager = this.dataSource.manager): Promise<boolean> {
    return (await this.factors.find(tx, officerId))?.confirmedAt != null;
  }

  /** Takes a code of the app or a recovery code, each once. @returns null when it is neither. */
  async use(tx: EntityManager, officerId: string, code: string): Promise<FactorShown | null> {
    const factor = await this.factors.find(tx, officerId);
    if (!factor?.confirmedAt) return null;
    if (await this.useTotp(tx, officerId, factor.secret, code)) return 'totp';
    const hash = hashRecoveryCode(code);
    return hash && (await this.factors.useRecoveryCode(tx, officerId, hash)) ? 'recovery_code' : null;
  }

  private async useTotp(tx: EntityManager, officerId: string, sealed: Buffer, code: string): Promise<boolean> {
    const secret = this.keys.open('second-factor', sealed, belonging(officerId)).toString();
    const step = totpStep(secret, code.replace(/\s/g, ''), this.clock.now());
    return step !== null && this.factors.useStep(tx, officerId, step);
  }

  private async newCodes(tx: EntityManager, officerId: string): Promise<string[]> {
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
    const hashes = codes.map(hashRecoveryCode).filter((hash) => hash !== null);
    await this.factors.replaceRecoveryCodes(tx, officerId, hashes);
    return codes;
  }

  private seal(officerId: string, secret: string): Buffer {
    return this.keys.seal('second-factor', Buffer.from(secret), belonging(officerId));
  }

  private record(tx: EntityManager, actor: OfficerActor, action: string): Promise<void> {
    const thing = actorReference(actor);
    return this.audit.record(tx, { agencyId: actor.agencyId, actor: thing, action, thing });
  }
}

const belonging = (officerId: string) => `officer:${officerId}`;

function codeWrong(): Refusal {
  return refuse('second_factor_code_wrong', 'The code is wrong, was used already or is too old. Send the next one.');
}

function notEnrolled(): Refusal {
  return refuse('second_factor_not_enrolled', 'There is no second factor. Set one up with POST /v1/second-factor.');
}

function refuse(code: AccessRefusal, detail: string): Refusal {
  return new Refusal<AccessRefusal>(code, detail);
}
