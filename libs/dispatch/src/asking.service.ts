import { Injectable } from '@nestjs/common';
import { Clock, type UnitOfWork } from '#platform';
import type { Alert } from './alert.entity.ts';
import { feed } from './dispatch.jobs.ts';
import type { Message } from './message.entity.ts';
import { isNight } from './night.ts';
import { WaveRepository, type Withheld } from './wave.repository.ts';

/** Alerts a phone gets in 24 hours before further ones are withheld: fatigue makes people switch all of them off. */
const DAILY_CAP = { critical: 5, serious: 2 } as const;

/** What a snapshot of an audience has taken. */
export interface Asked {
  readonly targeted: number;
  readonly withheld: Withheld;
  /** When sending begins; null is now. */
  readonly from: Date | null;
}

const NOBODY: Asked = { targeted: 0, withheld: {}, from: null };

/** Takes audiences: whom an alert asks, snapshotted in the caller's transaction. */
@Injectable()
export class Asking {
  constructor(
    private readonly waves: WaveRepository,
    private readonly clock: Clock,
  ) {}

  /** Snapshots the ring of an alert that the caller holds, and promises that it is fed. */
  async ring({ tx, enqueue }: UnitOfWork, alert: Alert, message: Message): Promise<Asked> {
    const { tier, zone, origin } = alert;
    // An exercise is practised by officers; a page-only alert is found, not sent.
    if (tier === 'page_only' || alert.mode === 'exercise') return NOBODY;
    const now = this.clock.now();
    const byDayOnly = tier === 'serious' && isNight(zone, now);
    const from = byDayOnly ? await this.waves.morning(tx, zone, now) : null;
    const waveId = await this.waves.insert(tx, { alertId: alert.id, messageId: message.id, audience: 'ring' });
    const [lon, lat] = origin.coordinates as [number, number];
    const query = { area: alert.area, origin: [lon, lat] as const, tier, at: from ?? now };
    const asked = await this.waves.snapshotRing(tx, waveId, query, DAILY_CAP[tier], from);
    await enqueue(feed, {});
    return { ...asked, from };
  }
}
