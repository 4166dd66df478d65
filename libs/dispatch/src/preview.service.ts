import { Inject, Injectable } from '@nestjs/common';
import { type Actor, actorReference } from '#access';
import { Audience, type AudiencePreview } from '#audience';
import { Audit } from '#audit';
import { Cases } from '#cases';
import { Clock, ENV, type Env, type RateLimit, RateLimits, Refusal, Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { Alerts } from './alert.service.ts';
import type { Texts } from './alert.types.ts';
import type { DispatchRefusal } from './dispatch.errors.ts';
import { shownText } from './texts.ts';

/** What a release would do, as far as an officer may know it beforehand. */
export interface AlertPreview extends AudiencePreview {
  /** From the first push to the last at the provider's quota; null while fewer than 10 would be reached. */
  readonly minutesAtQuota: number | null;
  /** What the lock screens will show. */
  readonly lockScreen: Texts;
}

/** Looks that an officer may take in an hour. */
const PREVIEWS_PER_HOUR = 30;

@Injectable()
export class Preview {
  private readonly limit: RateLimit;

  constructor(
    private readonly alerts: Alerts,
    private readonly audience: Audience,
    private readonly cases: Cases,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly transactions: Transactions,
    @Inject(ENV) private readonly env: Pick<Env, 'PUSH_QUOTA_PER_MINUTE'>,
    limits: RateLimits,
  ) {
    this.limit = limits.of({ name: 'previews', points: PREVIEWS_PER_HOUR, windowS: 3600 });
  }

  /** @throws Refusal `case_not_found`, `forbidden`, `alert_missing`, `too_many_previews` */
  async ofCase(actor: Actor, caseId: string): Promise<AlertPreview> {
    await this.demandRoom(actor);
    const { alert, message } = await this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'alert.preview', caseId);
      const proposed = await this.alerts.ofCase(caseId, tx);
      if (!proposed) throw new Refusal<DispatchRefusal>('alert_missing', 'The case has no proposed alert to preview.');
      const thing = `case:${held.id}`;
      await this.audit.record(tx, {
        agencyId: held.agencyId,
        actor: actorReference(actor),
        action: 'alert.preview',
        thing,
      });
      return proposed;
    });
    const reach = await this.reach(alert);
    const minutes = reach.reached === null ? null : Math.ceil(reach.reached / this.env.PUSH_QUOTA_PER_MINUTE);
    const shown = { ...message, instruction: alert.instruction, callNumber: alert.callNumber };
    const lockScreen = { 'zh-CN': shownText(shown, 'zh-CN'), en: shownText(shown, 'en') };
    return { ...reach, minutesAtQuota: minutes, lockScreen };
  }

  /** Circle upon circle would locate a phone by subtraction. */
  private async demandRoom(actor: Actor): Promise<void> {
    const retryAfter = await this.limit.consume(actorReference(actor));
    if (retryAfter === null) return;
    throw new Refusal<DispatchRefusal>('too_many_previews', 'Too many previews in the last hour. Submit, or wait.', {
      retryAfter,
    });
  }

  private reach({ tier, area, origin }: Alert): Promise<AudiencePreview> | AudiencePreview {
    if (tier === 'page_only') return { reached: null, withheld: null, medianAgeDays: null };
    const [lon, lat] = origin.coordinates as [number, number];
    return this.audience.preview({ area, origin: [lon, lat], tier, at: this.clock.now() });
  }
}
