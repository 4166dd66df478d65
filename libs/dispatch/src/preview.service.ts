import { Inject, Injectable } from '@nestjs/common';
import { type Actor, actorReference } from '#access';
import { Audience, type AudiencePreview, type Lands as LandsLeftOut } from '#audience';
import { CaseReads, Cases } from '#cases';
import type { Area } from '#geo';
import { Clock, ENV, type Env, type RateLimit, RateLimits, Refusal, Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { Alerts } from './alert.service.ts';
import { areaOf } from './change-area.ts';
import type { Texts } from './alert.types.ts';
import { suggestedRadiusM } from './ladder.ts';
import type { Ladder, LadderRing } from './ladder.types.ts';
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
  /** The ladder's rings: everyone within each. */
  readonly rings: readonly PreviewedRing[];
  /** How wide to begin for a child missing so long; null when nobody knows how long. Nothing follows from it by itself. */
  readonly suggestedRadiusM: number | null;
}

export interface PreviewedRing extends LadderRing, Pick<AudiencePreview, 'reached'> {
  /** For those whom it adds to the ring before. */
  readonly minutesAtQuota: number | null;
}

/** What a change of a live alert would give it. */
export interface PreviewedChange {
  readonly area?: Area;
  readonly texts?: Texts;
  readonly ladder?: Ladder;
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
    const { alert, message, lastSeen } = await this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lock(tx, actor, 'alert.preview', caseId);
      const proposed = await this.alerts.ofCase(caseId, tx);
      if (!proposed) throw new Refusal<DispatchRefusal>('alert_missing', 'The case has no proposed alert to preview.');
      await this.reads.record(tx, actor, held, { action: 'alert.preview' });
      const { area = proposed.alert.area, texts = proposed.message.texts, ladder = proposed.alert.ladder } = changed;
      const lastSeen = held.lastSeenUntil ?? held.lastSeenFrom;
      return { alert: { ...proposed.alert, area, ladder }, message: { ...proposed.message, texts }, lastSeen };
    });
    const { neighbours, leftOut } = await this.lands.foresee(alert);
    const reach = await this.reach(alert, leftOut);
    const rings = await this.rings(alert, reach.reached);
    const suggested = lastSeen && suggestedRadiusM(lastSeen, this.clock.now());
    const shown = { ...message, instruction: alert.instruction, callNumber: alert.callNumber };
    const lockScreen = { 'zh-CN': shownText(shown, 'zh-CN'), en: shownText(shown, 'en') };
    const minutesAtQuota = this.minutes(reach.reached, 0);
    return { ...reach, minutesAtQuota, lockScreen, neighbours, rings, suggestedRadiusM: suggested };
  }

  /** One after another: each is an audience of its own. All are told by tract, as the area is, so nothing finer is subtracted. */
  private async rings(alert: Alert, first: number | null): Promise<PreviewedRing[]> {
    const rings: PreviewedRing[] = [];
    let before = first;
    for (const ring of alert.ladder.rings) {
      const wider = { ...alert, area: areaOf({ kind: 'ring', radiusM: ring.radiusM }, alert) };
      if (alert.area.kind === 'circle' && ring.radiusM <= alert.area.radiusM) continue;
      const { reached } = await this.reach(wider, (await this.lands.foresee(wider)).leftOut);
      rings.push({ ...ring, reached, minutesAtQuota: this.minutes(reached, before ?? 0) });
      before = reached;
    }
    return rings;
  }

  private minutes(reached: number | null, before: number): number | null {
    return reached === null ? null : Math.ceil(Math.max(0, reached - before) / this.env.PUSH_QUOTA_PER_MINUTE);
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
