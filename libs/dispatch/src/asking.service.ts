import { Injectable } from '@nestjs/common';
import type { MultiPolygon } from 'geojson';
import type { AudienceQuery } from '#audience';
import { Audit } from '#audit';
import { Clock, type UnitOfWork } from '#platform';
import type { Alert } from './alert.entity.ts';
import { feed } from './dispatch.jobs.ts';
import { LandRepository } from './land.repository.ts';
import type { Message } from './message.entity.ts';
import { isNight } from './night.ts';
import { type StandingElsewhere, WaveRepository, type Withheld } from './wave.repository.ts';

/** Alerts a phone gets in 24 hours before further ones are withheld: fatigue makes people switch all of them off. */
export const DAILY_CAP = { critical: 5, serious: 2 } as const;

/** What a snapshot of an audience has taken. */
export interface Asked {
  readonly targeted: number;
  readonly withheld: Withheld;
  /** Inside the area, on another agency's land: counted beside. */
  readonly elsewhere: StandingElsewhere;
  /** When sending begins; null is now. */
  readonly from: Date | null;
}

const NOBODY: Asked = { targeted: 0, withheld: {}, elsewhere: {}, from: null };

/** Takes audiences: whom an alert asks, snapshotted in the caller's transaction. */
@Injectable()
export class Asking {
  constructor(
    private readonly waves: WaveRepository,
    private readonly lands: LandRepository,
    private readonly audit: Audit,
    private readonly clock: Clock,
  ) {}

  /**
   * Snapshots those in the area of an alert that the caller holds whom it has not asked yet, and promises that they are
   * fed. A stopped alert asks nobody any more. On other agencies' land their policy decides; some of them are asked now.
   */
  async ring(unit: UnitOfWork, alert: Alert, message: Message): Promise<Asked> {
    if (asksNobody(alert)) return NOBODY;
    const agencyIds = await this.lands.meet(unit.tx, alert.id, alert.agencyId, alert.area);
    const asked = await this.take(unit, alert, message, null);
    const entry = {
      agencyId: alert.agencyId,
      actor: 'system:asking',
      action: 'ask.create',
      thing: `alert:${alert.id}`,
    };
    for (const agency of agencyIds) await this.audit.record(unit.tx, { ...entry, detail: { agency } });
    return asked;
  }

  /** The same for those on land whose agency has agreed: late, and with what the alert says now. */
  async land(unit: UnitOfWork, alert: Alert, message: Message, land: MultiPolygon): Promise<Asked> {
    return asksNobody(alert) ? NOBODY : this.take(unit, alert, message, land);
  }

  private async take(
    { tx, enqueue }: UnitOfWork,
    alert: Alert,
    message: Message,
    only: MultiPolygon | null,
  ): Promise<Asked> {
    const { zone, origin } = alert;
    const tier = alert.tier === 'critical' ? 'critical' : 'serious';
    const now = this.clock.now();
    const byDayOnly = tier === 'serious' && isNight(zone, now);
    const from = byDayOnly ? await this.waves.morning(tx, zone, now) : null;
    const wave = { alertId: alert.id, messageId: message.id, audience: 'ring' as const, area: alert.area };
    const waveId = await this.waves.insert(tx, wave);
    const [lon, lat] = origin.coordinates as [number, number];
    const leftOut = await this.lands.leftOut(alert.id, tx);
    const lands = only ? { ...leftOut, only } : leftOut;
    const query: AudienceQuery = { area: alert.area, origin: [lon, lat], tier, at: from ?? now, lands };
    const asked = await this.waves.snapshotRing(tx, waveId, query, DAILY_CAP[tier], from);
    if (!only) await this.waves.restate(tx, waveId);
    await enqueue(feed, {});
    return { ...asked, from };
  }
}

/** An exercise is practised by officers; a page-only alert is found, not sent. */
export function asksNobody({ tier, mode, stoppedAt }: Alert): boolean {
  return tier === 'page_only' || mode === 'exercise' || stoppedAt !== null;
}
