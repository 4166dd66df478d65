import { Inject, Injectable } from '@nestjs/common';
import { type Actor, actorReference } from '#access';
import { Audience, type AudiencePreview, type Lands as LandsLeftOut } from '#audience';
import { CaseReads, Cases } from '#cases';
import type { Area } from '#geo';
import { Clock, ENV, type Env, type RateLimit, RateLimits, Refusal, Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { Alerts } from './alert.service.ts';
import type { Texts } from './alert.types.ts';
import type { DispatchRefusal } from './dispatch.errors.ts';
import type { Neighbour } from './land.repository.ts';
import { Lands } from './land.service.ts';
import { shownText } from './texts.ts';

/** What a release would do, as far as an officer may know it beforehand. */
export interface AlertPreview extends AudiencePreview {
  /** From the first push to the last at the provider's quota; null while fewer than 10 would be reached. */
  readonly minutesAtQuota: number | null;
  /** What the lock screens will show. */
  readonly lockScreen: Texts;
  /** Agencies whose land the area meets: with each, what its policy will make of it. */
  readonly neighbours: readonly Neighbour[];
}

/** What a change of a live alert would give it. */
export interface PreviewedChange {
  readonly area?: Area;
  readonly texts?: Texts;
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
    private readonly reads: CaseReads,
    private readonly lands: Lands,
    private readonly clock: Clock,
    private readonly transactions: Transactions,
    @Inject(ENV) private readonly env: Pick<Env, 'PUSH_QUOTA_PER_MINUTE'>,
    limits: RateLimits,
  ) {
    this.limit = limits.of({ name: 'previews', points: PREVIEWS_PER_HOUR, windowS: 3600 });
  }

  /**
   * @param changed what the alert is to have instead
   * @throws Refusal `case_not_found`, `forbidden`, `alert_missing`, `too_many_previews`
   */
  async ofCase(actor: Actor, caseId: string, changed: PreviewedChange = {}): Promise<AlertPreview> {
    await this.demandRoom(actor);
    const { alert, message } = await this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'alert.preview', caseId);
      const proposed = await this.alerts.ofCase(caseId, tx);
      if (!proposed) throw new Refusal<DispatchRefusal>('alert_missing', 'The case has no proposed alert to preview.');
      await this.reads.record(tx, actor, held, { action: 'alert.preview' });
      const { area = proposed.alert.area, texts = proposed.message.texts } = changed;
      return { alert: { ...proposed.alert, area }, message: { ...proposed.message, texts } };
    });
    const { neighbours, leftOut } = await this.lands.foresee(alert);
    const reach = await this.reach(alert, leftOut);
    const minutes = reach.reached === null ? null : Math.ceil(reach.reached / this.env.PUSH_QUOTA_PER_MINUTE);
    const shown = { ...message, instruction: alert.instruction, callNumber: alert.callNumber };
    const lockScreen = { 'zh-CN': shownText(shown, 'zh-CN'), en: shownText(shown, 'en') };
    return { ...reach, minutesAtQuota: minutes, lockScreen, neighbours };
  }

  /** Circle upon circle would locate a phone by subtraction. */
  private async demandRoom(actor: Actor): Promise<void> {
    const retryAfter = await this.limit.consume(actorReference(actor));
    if (retryAfter === null) return;
    throw new Refusal<DispatchRefusal>('too_many_previews', 'Too many previews in the last hour. Submit, or wait.', {
      retryAfter,
    });
  }

  private reach(
    { tier, area, origin }: Alert,
    lands: LandsLeftOut | undefined,
  ): Promise<AudiencePreview> | AudiencePreview {
    if (tier === 'page_only')
      return { reached: null, withheld: null, waiting: null, closed: null, medianAgeDays: null };
    const [lon, lat] = origin.coordinates as [number, number];
    return this.audience.preview({ area, origin: [lon, lat], tier, at: this.clock.now(), lands });
  }
}
