import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Arrivals, type AudienceQuery, type PartOfArea } from '#audience';
import { Clock, Coalesced, traced, Transactions, type UnitOfWork } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertWorkMetrics } from './alert-work.metrics.ts';
import { AlertRepository } from './alert.repository.ts';
import { asksNobody, DAILY_CAP } from './asking.service.ts';
import { feed } from './dispatch.jobs.ts';
import { LandRepository } from './land.repository.ts';
import { isNight } from './night.ts';
import { type LeftOut, type Placed, TopUpAlert } from './top-up-alert.ts';
import { PIECE, type Present, TopUpRepository } from './top-up.repository.ts';
import { WaveRepository } from './wave.repository.ts';

/** A process that has not topped up for this long leaves it to another. */
const LEASE_S = 120;
/** Who entered is known by their moving. Who has stayed and is willing again, or was missed, is met this often. */
const LOOK_EVERY_MS = 600_000;
const LOOKS_PER_ROUND = 3;

/**
 * Asks those whom no wave of a live alert has asked and who are inside its area now: who came, who registered, whose quiet hours
 * or mute ended. They get the newest message, in a late wave. One process at a time does it; that is thrift, for the alert's
 * row decides who asks.
 */
@Injectable()
export class TopUp {
  private readonly logger = new Logger(TopUp.name);
  private readonly self = randomUUID();
  private readonly known = new Map<string, TopUpAlert>();
  private readonly rounds = new Coalesced(() => this.round());

  constructor(
    private readonly topUps: TopUpRepository,
    private readonly alerts: AlertRepository,
    private readonly arrivals: Arrivals,
    private readonly waves: WaveRepository,
    private readonly lands: LandRepository,
    private readonly metrics: AlertWorkMetrics,
    private readonly clock: Clock,
    private readonly transactions: Transactions,
  ) {}

  /** Resolves when a round that began after this call has ended. */
  run(): Promise<void> {
    return this.rounds.run();
  }

  private async round(): Promise<void> {
    if (!(await this.topUps.lead(this.self, LEASE_S))) return this.known.clear();
    const now = this.clock.now();
    const alerts = (await this.topUps.asking()).filter(({ tier, zone }) => tier === 'critical' || !isNight(zone, now));
    const ids = new Set(alerts.map(({ id }) => id));
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
    if (alerts.length === 0) return this.arrivals.forget();
    // First: who moves after a look is noted for the next.
    await this.arrivals.want(LEASE_S);
    const arrived = await this.arrivals.take();
    for (const alert of alerts) await this.guarded(alert, () => this.askArrived(alert, arrived));
    for (const alert of this.dueForLook(alerts, now)) await this.guarded(alert, () => this.look(alert, now));
  }

  /** One that cannot be topped up must not keep the others from it. */
  private async guarded(alert: Alert, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // What it was to be told of has been taken from the note: it is met anew, and looked at whole.
      this.known.delete(alert.id);
      this.metrics.failed('top_up');
      this.logger.error({ err: error as Error, alertId: alert.id }, 'an alert could not be topped up');
    }
  }

  private async askArrived(alert: Alert, arrived: readonly Placed[]): Promise<void> {
    const known = await this.meet(alert);
    const candidates = known.candidates(arrived);
    if (candidates.length === 0) return;
    const ids = candidates.map(({ deviceId }) => deviceId);
    await this.ask(alert.id, known, known.around(candidates), ids);
  }

  /** What is known of an alert as it is now. */
  private async meet(alert: Alert): Promise<TopUpAlert> {
    const before = this.known.get(alert.id);
    const known = before && isDeepStrictEqual(before.area, alert.area) ? before : new TopUpAlert(alert.area, before);
    await this.learn(alert.id, known);
    this.known.set(alert.id, known);
    return known;
  }

  /** Those never looked at first; a few at a time, for nobody who enters elsewhere is to wait for it. */
  private dueForLook(alerts: readonly Alert[], now: Date): Alert[] {
    const lookedAt = ({ id }: Alert) => this.known.get(id)?.lookedAt ?? Infinity;
    return alerts
      .filter((alert) => now.getTime() - lookedAt(alert) >= LOOK_EVERY_MS)
      .sort((a, b) => lookedAt(a) - lookedAt(b) || 0)
      .slice(0, LOOKS_PER_ROUND);
  }

  private async look(alert: Alert, now: Date): Promise<void> {
    const known = await this.meet(alert);
    known.looked(now.getTime());
    const { deviceIds, ...counts } = await this.topUps.unasked(alert.id, await this.query(alert, known.whole));
    if (deviceIds.length === 0 && isDeepStrictEqual(known.told, counts)) return;
    await this.ask(alert.id, known, known.whole, deviceIds, counts);
    known.told = counts;
  }

  /** Reads whom the alert's rings have asked since it was last read. */
  private async learn(alertId: string, known: TopUpAlert, tx?: EntityManager): Promise<void> {
    for (let more = true; more;) {
      const batches = await this.topUps.recipients(alertId, known.batchId, tx);
      more = batches.length === PIECE;
      for (const { batchId, ids } of batches) {
        known.asked.addSent(ids);
        known.batchId = batchId;
      }
    }
  }

  /** Asks those of some devices who are there and willing, under the alert's lock: as it stands then, and nobody twice. */
  private ask(
    alertId: string,
    known: TopUpAlert,
    area: PartOfArea,
    deviceIds: readonly number[],
    counts?: LeftOut,
  ): Promise<void> {
    const ask = async (unit: UnitOfWork) => {
      const { tx } = unit;
      const alert = await this.alerts.lock(tx, alertId);
      if (!alert || alert.state !== 'live' || alert.heldAt || asksNobody(alert)) return;
      // The area is another now: a whole look at it is next.
      if (!isDeepStrictEqual(alert.area, known.area)) return;
      await this.learn(alertId, known, tx);
      const fresh = deviceIds.filter((id) => !known.asked.has(id));
      const capped = fresh.length > 0 ? await this.askFresh(unit, alert, known, area, fresh) : 0;
      if (!counts) return;
      const withheld = { ...counts.withheld, ...(capped > 0 ? { daily_cap: capped } : {}) };
      await this.waves.recount(tx, alertId, withheld, counts.elsewhere);
    };
    return traced('top_up', { alertId }, () => this.transactions.run(ask));
  }

  /** @returns how many are withheld for they got too many alerts today */
  private async askFresh(
    unit: UnitOfWork,
    alert: Alert,
    known: TopUpAlert,
    area: PartOfArea,
    fresh: readonly number[],
  ) {
    const { tx, enqueue } = unit;
    const present = await this.topUps.present(tx, await this.query(alert, area, tx), fresh);
    const willing = present.filter(({ withheld }) => withheld === null);
    const capped = new Set(await this.capped(tx, alert, willing));
    for (const { deviceId, withheld } of present) {
      if (withheld !== null || capped.has(deviceId)) known.withheld.add(deviceId);
    }
    const asked = willing.filter(({ deviceId }) => !capped.has(deviceId));
    if (asked.length === 0) return capped.size;
    const message = await this.alerts.latestMessage(alert.id, tx);
    if (!message) throw new Error(`alert ${alert.id} has no message`);
    const waveId = await this.waves.addLate(tx, alert.id, message.id, alert.area, asked);
    await enqueue(feed, {});
    this.logger.log({ alertId: alert.id, waveId, targeted: asked.length }, 'asked late');
    return capped.size;
  }

  /**
   * Who has got, or is about to get, as many other alerts today as are good for anybody. What is known by heart is counted there,
   * to the alert and not to the hour; only alerts that have ended since are looked up in the ledger.
   */
  private async capped(tx: EntityManager, alert: Alert, willing: readonly Present[]): Promise<number[]> {
    if (willing.length === 0) return [];
    const cap = DAILY_CAP[tierOf(alert)];
    const recent = await this.topUps.recentAlerts(tx, alert.id);
    const known = recent.flatMap((id) => this.known.get(id) ?? []);
    const others = recent.filter((id) => !this.known.has(id));
    const counted = willing.map(({ deviceId }) => ({
      deviceId,
      count: known.filter(({ asked }) => asked.has(deviceId)).length,
    }));
    const open = counted.filter(({ count }) => count < cap && count + others.length >= cap);
    const more =
      open.length > 0
        ? await this.topUps.askedBy(
            tx,
            others,
            open.map(({ deviceId }) => deviceId),
          )
        : NONE;
    return counted
      .filter(({ deviceId, count }) => count + (more.get(deviceId) ?? 0) >= cap)
      .map(({ deviceId }) => deviceId);
  }

  private async query(alert: Alert, area: PartOfArea, tx?: EntityManager): Promise<AudienceQuery> {
    const [lon, lat] = alert.origin.coordinates as [number, number];
    const lands = await this.lands.leftOut(alert.id, tx);
    return { area, origin: [lon, lat], tier: tierOf(alert), at: this.clock.now(), lands };
  }
}

const NONE: ReadonlyMap<number, number> = new Map();

function tierOf({ tier }: Alert): 'critical' | 'serious' {
  return tier === 'critical' ? 'critical' : 'serious';
}
