import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Arrivals, type AudienceQuery, type PartOfArea } from '#audience';
import { Clock, Coalesced, Transactions, type UnitOfWork } from '#platform';
import type { Alert } from './alert.entity.ts';
import { AlertRepository } from './alert.repository.ts';
import { asksNobody, DAILY_CAP } from './asking.service.ts';
import { feed } from './dispatch.jobs.ts';
import { LandRepository } from './land.repository.ts';
import { isNight } from './night.ts';
import { TopUpAlert } from './top-up-alert.ts';
import { PIECE, type Present, TopUpRepository, type Unasked } from './top-up.repository.ts';
import { WaveRepository } from './wave.repository.ts';

/** A process that has not topped up for this long leaves it to another. */
const LEASE_S = 120;
/** Who entered is known by their moving. Who has stayed and is willing again, or was missed, is met this often. */
const WHOLE_LOOK_MS = 600_000;

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
  private readonly told = new Map<string, Omit<Unasked, 'deviceIds'>>();
  private readonly rounds = new Coalesced(() => this.round());

  constructor(
    private readonly topUps: TopUpRepository,
    private readonly alerts: AlertRepository,
    private readonly arrivals: Arrivals,
    private readonly waves: WaveRepository,
    private readonly lands: LandRepository,
    private readonly clock: Clock,
    private readonly transactions: Transactions,
  ) {}

  /** Resolves when a round that began after this call has ended. */
  run(): Promise<void> {
    return this.rounds.run();
  }

  private async round(): Promise<void> {
    if (!(await this.topUps.lead(this.self, LEASE_S))) return this.forget();
    const now = this.clock.now();
    const alerts = (await this.topUps.asking()).filter(({ tier, zone }) => tier === 'critical' || !isNight(zone, now));
    const ids = new Set(alerts.map(({ id }) => id));
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
    if (alerts.length === 0) return this.arrivals.forget();
    // First: who moves after a look is noted for the next.
    await this.arrivals.want(LEASE_S);
    const arrived = await this.arrivals.take();
    for (const alert of alerts) await this.topUp(alert, arrived);
  }

  private forget(): void {
    this.known.clear();
    this.told.clear();
  }

  /** One that cannot be topped up must not keep the others from it. */
  private async topUp(alert: Alert, arrived: readonly { deviceId: number; cell: number }[]): Promise<void> {
    try {
      const known = this.known.get(alert.id);
      const due = !known || this.clock.now().getTime() - known.lookedAt >= WHOLE_LOOK_MS;
      if (!known || due || !isDeepStrictEqual(known.area, alert.area)) return await this.lookWhole(alert);
      await this.learn(alert.id, known);
      const candidates = known.candidates(arrived);
      if (candidates.length === 0) return;
      const around = known.around(candidates);
      await this.ask(
        alert.id,
        known,
        around,
        candidates.map(({ deviceId }) => deviceId),
      );
    } catch (error) {
      // What it was to be told of has been taken from the note.
      this.known.delete(alert.id);
      this.logger.error({ err: error as Error, alertId: alert.id }, 'an alert could not be topped up');
    }
  }

  private async lookWhole(alert: Alert): Promise<void> {
    const before = this.known.get(alert.id);
    const known = new TopUpAlert(alert.area, this.clock.now().getTime());
    if (before) known.takeOver(before);
    await this.learn(alert.id, known);
    const { deviceIds, ...counts } = await this.topUps.unasked(alert.id, await this.query(alert, known.whole));
    this.known.set(alert.id, known);
    if (deviceIds.length === 0 && isDeepStrictEqual(this.told.get(alert.id), counts)) return;
    await this.ask(alert.id, known, known.whole, deviceIds, counts);
    this.told.set(alert.id, counts);
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
    counts?: Omit<Unasked, 'deviceIds'>,
  ): Promise<void> {
    return this.transactions.run(async (unit) => {
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
    });
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

  /** Only who may have been asked often enough is counted in the ledger: what is known by heart clears the others. */
  private async capped(tx: EntityManager, alert: Alert, willing: readonly Present[]): Promise<number[]> {
    const cap = DAILY_CAP[tierOf(alert)];
    const recent = await this.topUps.recentAlerts(tx, alert.id);
    if (recent.length < cap) return [];
    const known = recent.flatMap((id) => this.known.get(id) ?? []);
    const unknown = recent.length - known.length;
    const doubtful = willing.filter(
      ({ deviceId }) => unknown + known.filter(({ asked }) => asked.has(deviceId)).length >= cap,
    );
    if (doubtful.length === 0) return [];
    return this.topUps.capped(
      tx,
      alert.id,
      cap,
      doubtful.map(({ deviceId }) => deviceId),
    );
  }

  private async query(alert: Alert, area: PartOfArea, tx?: EntityManager): Promise<AudienceQuery> {
    const [lon, lat] = alert.origin.coordinates as [number, number];
    const lands = await this.lands.leftOut(alert.id, tx);
    return { area, origin: [lon, lat], tier: tierOf(alert), at: this.clock.now(), lands };
  }
}

function tierOf({ tier }: Alert): 'critical' | 'serious' {
  return tier === 'critical' ? 'critical' : 'serious';
}
