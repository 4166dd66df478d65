import { Inject, Injectable } from '@nestjs/common';
import { type Actor, actorReference } from '#access';
import { Audience, type AudiencePreview } from '#audience';
import { Audit } from '#audit';
import { Cases } from '#cases';
import { Clock, ENV, type Env, Refusal, Transactions } from '#platform';
import type { Alert } from './alert.entity.ts';
import { Alerts } from './alert.service.ts';
import type { Texts } from './alert.types.ts';
import type { DispatchRefusal } from './dispatch.errors.ts';

/** What a release would do, as far as an officer may know it beforehand. */
export interface AlertPreview extends AudiencePreview {
  /** From the first push to the last at the provider's quota; null while fewer than 10 would be reached. */
  readonly minutesAtQuota: number | null;
  /** What the lock screens will show. */
  readonly lockScreen: Texts;
}

@Injectable()
export class Preview {
  constructor(
    private readonly alerts: Alerts,
    private readonly audience: Audience,
    private readonly cases: Cases,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly transactions: Transactions,
    @Inject(ENV) private readonly env: Pick<Env, 'PUSH_QUOTA_PER_MINUTE'>,
  ) {}

  /** @throws Refusal `case_not_found`, `forbidden`, `alert_missing` */
  async ofCase(actor: Actor, caseId: string): Promise<AlertPreview> {
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
    return { ...reach, minutesAtQuota: minutes, lockScreen: message.texts };
  }

  private reach({ tier, area, origin }: Alert): Promise<AudiencePreview> | AudiencePreview {
    if (tier === 'page_only') return { reached: null, withheld: null, medianAgeDays: null };
    const [lon, lat] = origin.coordinates as [number, number];
    return this.audience.preview({ area, origin: [lon, lat], tier, at: this.clock.now() });
  }
}
