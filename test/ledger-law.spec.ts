import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { DeadLetters, Gaps } from '#dispatch';
import { Transactions } from '#platform';
import { AlertRepository } from '../libs/dispatch/src/alert.repository.ts';
import { BatchRepository } from '../libs/dispatch/src/batch.repository.ts';
import type { Lease } from '../libs/dispatch/src/batch.types.ts';
import { Ledger } from '../libs/dispatch/src/ledger.service.ts';
import type { Results } from '../libs/dispatch/src/results.ts';
import { Telling } from '../libs/dispatch/src/telling.service.ts';
import { WaveRepository } from '../libs/dispatch/src/wave.repository.ts';
import { makeDevices, SHENZHEN } from './harness/fixtures.ts';
import { QuietLedger } from './harness/quiet-ledger.ts';
import { shiftLedger } from './harness/shifted.ts';

const TEXTS = { 'zh-CN': { title: '寻人', body: '七岁。' }, en: { title: 'Missing', body: 'Seven.' } };
const BATCH_SIZES = [4, 3, 1];
const PHONES = 8;
const WORKERS = 3;

type PushResult = 'accepted' | 'unregistered' | 'retry' | 'unknown';

/** One thing that may happen; numbers choose among what there is. */
type Step =
  | { readonly does: 'claim'; readonly worker: number; readonly batch: number }
  | { readonly does: 'push'; readonly worker: number; readonly results: readonly PushResult[] }
  | { readonly does: 'settle' | 'vanish'; readonly worker: number }
  /** Dies after its checkpoint: the chunk was sent, or was not. */
  | { readonly does: 'crash'; readonly worker: number; readonly chunk: number; readonly sent: boolean }
  | { readonly does: 'reclaim' | 'seize' | 'update' | 'hold' | 'resume' | 'stop' | 'end' }
  /** People come late; everybody is away for twenty minutes; what was set aside is tried again. */
  | { readonly does: 'top-up' | 'gap' | 'retry' }
  /** The work throws once too often. */
  | { readonly does: 'throw'; readonly worker: number }
  | { readonly does: 'leave'; readonly phone: number };

const worker = fc.nat(WORKERS - 1);
const outcome: fc.Arbitrary<PushResult> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<PushResult>('accepted') },
  { weight: 1, arbitrary: fc.constantFrom<PushResult>('unregistered', 'retry', 'unknown') },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('claim' as const), worker, batch: fc.nat(9) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('push' as const),
      worker,
      results: fc.array(outcome, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constantFrom('settle' as const, 'settle', 'settle', 'vanish'), worker }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('crash' as const),
      worker,
      chunk: fc.integer({ min: 1, max: 3 }),
      sent: fc.boolean(),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      does: fc.constantFrom('reclaim' as const, 'reclaim', 'seize', 'update', 'update', 'update', 'hold', 'resume'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('stop' as const, 'stop', 'stop', 'end') }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('top-up' as const, 'gap', 'retry', 'retry') }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('throw' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('leave' as const), phone: fc.nat(PHONES - 1) }) },
);

interface Run {
  readonly lease: Lease;
  readonly results: Results;
  /** Phones of the last chunk: the ledger learns what became of them with the next checkpoint. */
  last: readonly number[];
}

interface RestingBatch {
  readonly id: number;
  readonly epoch: number;
}

/** Phones, workers that may die, and an alert whose messages follow each other. */
class Play {
  private readonly runs = new Map<number, Run>();
  /** What phones were sent, as `phone:version` → how often. */
  private readonly sent = new Map<string, number>();
  /** Pushes that the ledger cannot know the end of, by phone. */
  private readonly doubts = new Map<number, number>();
  /** Chunks that a dying worker began and never sent: the ledger must take them for sent. */
  private readonly begun = new Map<number, number>();
  private readonly gone = new Set<number>();
  private newest = 1;
  private held = false;
  private stopped = false;
  private ended = false;

  constructor(
    private readonly app: INestApplicationContext,
    private readonly alertId: string,
    private readonly phones: number[],
    private readonly officerId: string,
  ) {}

  private get db(): DataSource {
    return this.app.get(DataSource);
  }

  async do(one: Step): Promise<void> {
    switch (one.does) {
      case 'claim':
        return this.claim(one.worker, one.batch);
      case 'push':
        return this.push(one.worker, one.results);
      case 'settle':
        return this.settle(one.worker);
      case 'vanish':
        return this.vanish(one.worker);
      case 'crash':
        return this.crash(one.worker, one.chunk, one.sent);
      case 'leave':
        return this.leave(one.phone);
      case 'throw':
        return this.throw(one.worker);
      case 'retry':
        return this.retry();
      case 'top-up':
        return this.topUp();
      case 'gap':
        return this.gap();
      case 'reclaim':
        return this.reclaim();
      case 'seize':
        return this.seize();
      case 'update':
      case 'hold':
      case 'resume':
      case 'stop':
      case 'end':
        return this.officer(one.does);
    }
  }

  /** Nobody dies any more: whatever is left is sent. */
  async finish(): Promise<void> {
    for (const busy of [...this.runs.keys()]) await this.settle(busy);
    await this.reclaim();
    await this.officer('resume');
    await this.retry();
    for (let round = 0; (await this.resting()).length > 0; round++) {
      expect(round).toBeLessThan(50);
      await this.claim(0, 0);
      while (this.runs.get(0)?.results.pending().length) await this.push(0, ['accepted', 'accepted', 'accepted']);
      await this.settle(0);
    }
  }

  /** The law, of every batch at rest. */
  async demandLaw(): Promise<void> {
    const told = await this.db.query<{ phone: number; version: number }[]>(
      `SELECT unnest(r.ids) AS phone, b.version FROM batches b JOIN waves w ON w.id = b.wave_id
       JOIN batch_recipients r ON r.batch_id = b.id WHERE b.alert_id = $1 AND w.audience = 'notified'`,
      [this.alertId],
    );
    const asked = await this.db.query<{ phone: number; version: number }[]>(
      `SELECT recipient.id AS phone, b.version FROM batches b JOIN waves w ON w.id = b.wave_id
         JOIN batch_recipients r ON r.batch_id = b.id
         CROSS JOIN LATERAL unnest(r.ids, string_to_array(b.results, NULL)) AS recipient(id, result)
       WHERE b.alert_id = $1 AND w.audience = 'ring' AND b.state <> 'leased' AND recipient.result IN ('a', 'k')`,
      [this.alertId],
    );
    for (const { phone, version } of asked) {
      const newer = (known: number) => known >= version;
      const sent = [...this.versionsOf(phone), this.begun.get(phone) ?? 0];
      const heard = sent.some(newer) || told.some((one) => one.phone === phone && newer(one.version));
      if (!heard && !this.gone.has(phone)) throw new Error(`phone ${phone} was asked and misses version ${version}`);
    }
  }

  demandEnd(): void {
    for (const phone of this.phones) {
      const versions = this.versionsOf(phone);
      for (const version of versions) {
        const times = this.sent.get(`${phone}:${version}`) ?? 0;
        if (times > 1 + (this.doubts.get(phone) ?? 0))
          throw new Error(`phone ${phone} got version ${version} ${times} times`);
      }
      if (versions.length === 0 || this.gone.has(phone)) continue;
      if (Math.max(...versions) !== this.newest) throw new Error(`phone ${phone} misses version ${this.newest}`);
      const [only] = versions;
      const uncalled = this.ended && versions.length === 1 && only === this.newest && !this.doubts.has(phone);
      if (uncalled) throw new Error(`phone ${phone} was never asked and is told of the end`);
    }
  }

  private versionsOf(phone: number): number[] {
    return [...this.sent.keys()].flatMap((key) => {
      const [who, version] = key.split(':').map(Number);
      return who === phone && version !== undefined ? [version] : [];
    });
  }

  private async resting(): Promise<RestingBatch[]> {
    await this.db.query(`UPDATE batches SET run_at = now() WHERE alert_id = $1 AND state = 'pending'`, [this.alertId]);
    return this.db.query<RestingBatch[]>(
      `SELECT id, epoch FROM batches WHERE alert_id = $1 AND state = 'pending' ORDER BY id`,
      [this.alertId],
    );
  }

  private async claim(by: number, which: number): Promise<void> {
    if (this.runs.has(by)) return;
    const resting = await this.resting();
    const batch = resting[which % Math.max(1, resting.length)];
    if (!batch) return;
    const ledger = this.app.get(Ledger);
    const lease = await ledger.claim(batch.id, batch.epoch);
    if (!lease) return;
    if (lease.version !== this.newest) throw new Error('an older message would be sent');
    if (this.held && lease.kind !== 'found') throw new Error('a held alert is sent');
    if (this.stopped && lease.audience === 'ring') throw new Error('a stopped alert asks more people');
    this.runs.set(by, { lease, results: ledger.resultsOf(lease), last: [] });
  }

  /** @returns the places to push to, once the ledger knows of them; none when the worker was overtaken or lost. */
  private async begin(by: number, size: number): Promise<{ run: Run; places: number[] } | null> {
    const run = this.runs.get(by);
    if (!run) return null;
    const places = run.results.pending().slice(0, size);
    const before = run.results.toString();
    run.results.begin(places);
    const epoch = await this.app.get(BatchRepository).checkpoint(run.lease, run.results.toString(), true);
    if (epoch === run.lease.alertEpoch) return { run, places };
    run.results.restore(before);
    if (epoch === null) this.runs.delete(by);
    else await this.settle(by);
    return null;
  }

  private async push(by: number, outcomes: readonly PushResult[]): Promise<void> {
    const begun = await this.begin(by, outcomes.length);
    if (begun) begun.run.last = begun.places.map((place) => begun.run.lease.ids[place] as number);
    begun?.places.forEach((place, nth) => {
      const result = outcomes[nth] ?? 'accepted';
      const phone = begun.run.lease.ids[place] as number;
      if (this.gone.has(phone)) return begun.run.results.record(place, 'unregistered');
      begun.run.results.record(place, result);
      if (result === 'accepted' || result === 'unknown') this.arrive(phone, begun.run.lease.version);
      if (result === 'unknown') this.doubt(phone);
      if (result === 'unregistered') this.gone.add(phone);
    });
  }

  private async crash(by: number, size: number, sent: boolean): Promise<void> {
    const begun = await this.begin(by, size);
    for (const place of begun?.places ?? []) {
      const phone = begun?.run.lease.ids[place] as number;
      this.doubt(phone);
      if (!begun) continue;
      if (sent) this.arrive(phone, begun.run.lease.version);
      else this.begun.set(phone, begun.run.lease.version);
    }
    this.runs.delete(by);
  }

  /** Dies without another word. */
  private vanish(by: number): void {
    this.runs.get(by)?.last.forEach((phone) => this.doubt(phone));
    this.runs.delete(by);
  }

  private async settle(by: number): Promise<void> {
    const run = this.runs.get(by);
    if (!run) return;
    this.runs.delete(by);
    const { lease, results } = run;
    await this.app.get(Ledger).settle(lease, { results, dead: [], pushed: true, tried: true, retryMs: 0 });
  }

  private async throw(by: number): Promise<void> {
    const run = this.runs.get(by);
    if (!run) return;
    this.runs.delete(by);
    const { lease, results } = run;
    await this.db.query('UPDATE batches SET faults = 4 WHERE id = $1', [lease.batchId]);
    await this.app.get(Ledger).fault(lease, { results, dead: [], pushed: true, reason: 'TypeError' });
  }

  private async retry(): Promise<void> {
    const letters = this.app.get(DeadLetters);
    const mine = (await letters.list()).filter(({ alertId }) => alertId === this.alertId);
    for (const { batchId } of mine) await this.db.transaction((tx) => letters.retry(tx, batchId));
  }

  private async topUp(): Promise<void> {
    if (this.ended || this.stopped || this.held) return;
    const [device] = await makeDevices(this.db, [SHENZHEN]);
    const message = await this.app.get(AlertRepository).latestMessage(this.alertId);
    if (!device || !message) throw new Error('nobody to come late');
    const area = { kind: 'circle' as const, center: SHENZHEN, radiusM: 1000 };
    const late = [{ deviceId: device.id, provider: 'fcm', band: 0 }];
    await this.app
      .get(Transactions)
      .run(({ tx }) => this.app.get(WaveRepository).addLate(tx, this.alertId, message.id, area, late));
    this.phones.push(device.id);
  }

  /** Who comes back is held if anybody was owed a push, before anything can be claimed. */
  private async gap(): Promise<void> {
    if (this.ended) return;
    this.doubtLast();
    await shiftLedger(this.db, this.alertId, 20);
    const [row] = await this.db.query<[{ owed: boolean }]>(
      `SELECT EXISTS (SELECT FROM batches WHERE alert_id = $1 AND state IN ('pending', 'leased')) AS owed`,
      [this.alertId],
    );
    const wasHeld = this.held;
    for (const { id, epoch } of row.owed && !wasHeld ? await this.resting() : []) {
      if (await this.app.get(Ledger).claim(id, epoch)) throw new Error('claimed before anybody looked for a gap');
    }
    // What is brought up by a claim may leave nobody owed.
    const held = await this.app.get(Gaps).hold();
    if (held > 0) this.held = true;
    await this.app.get(Ledger).reclaim();
  }

  /** Slow workers lose their leases, and go on as if they had them. */
  private async seize(): Promise<void> {
    this.doubtLast();
    await this.db.query(
      `UPDATE batches SET lease_until = now() - interval '1 second' WHERE alert_id = $1 AND state = 'leased'`,
      [this.alertId],
    );
    await this.app.get(Ledger).reclaim();
  }

  private doubtLast(): void {
    for (const run of this.runs.values()) run.last.forEach((phone) => this.doubt(phone));
  }

  private async reclaim(): Promise<void> {
    // Only what no living worker holds has run out.
    const held = [...this.runs.values()].map(({ lease }) => lease.batchId);
    await this.db.query(
      `UPDATE batches SET lease_until = now() - interval '1 second'
       WHERE alert_id = $1 AND state = 'leased' AND id <> ALL ($2::bigint[])`,
      [this.alertId, held],
    );
    await this.app.get(Ledger).reclaim();
  }

  private async officer(act: 'update' | 'hold' | 'resume' | 'stop' | 'end'): Promise<void> {
    if (this.ended) return;
    const rows = this.app.get(AlertRepository);
    await this.app.get(Transactions).run(async (unit) => {
      const { tx } = unit;
      const alert = await rows.lock(tx, this.alertId);
      if (!alert) throw new Error('no alert');
      if (act === 'hold') {
        this.held = true;
        return rows.hold(tx, alert.id, this.officerId, 'other');
      }
      if (act === 'resume') {
        this.held = false;
        return rows.resume(tx, alert.id);
      }
      if (act === 'stop') {
        this.stopped = true;
        await rows.stop(tx, alert.id, this.officerId);
        return this.app.get(WaveRepository).bringUp(tx, alert.id, null);
      }
      if (act === 'end') await rows.end(tx, alert.id);
      const kind = act === 'end' ? 'found' : 'update';
      const told = { kind, texts: TEXTS, notice: null, authorId: null, passesHold: act === 'end' } as const;
      await this.app.get(Telling).tell(unit, alert, told);
      this.newest++;
      this.ended = act === 'end';
    });
  }

  private async leave(which: number): Promise<void> {
    const phone = this.phones[which] as number;
    this.gone.add(phone);
    await this.db.query('UPDATE devices SET token = NULL WHERE id = $1', [phone]);
  }

  private arrive(phone: number, version: number): void {
    const key = `${phone}:${version}`;
    this.sent.set(key, (this.sent.get(key) ?? 0) + 1);
  }

  private doubt(phone: number): void {
    this.doubts.set(phone, (this.doubts.get(phone) ?? 0) + 1);
  }
}

describe('the ledger’s law', () => {
  let ledger: QuietLedger;

  beforeAll(async () => {
    ledger = await QuietLedger.start();
  }, 60_000);

  afterAll(() => ledger?.close());

  const seed = async (): Promise<Play> => {
    const { alertId, phones } = await ledger.seed(BATCH_SIZES);
    return new Play(ledger.app, alertId, [...phones], ledger.verifier.id);
  };

  it('tells once those whom two updates overtake in the midst of a wave', async () => {
    const play = await seed();
    const all: PushResult[] = ['accepted', 'accepted', 'accepted', 'accepted'];
    const steps: Step[] = [
      { does: 'claim', worker: 0, batch: 0 },
      { does: 'push', worker: 0, results: all },
      { does: 'settle', worker: 0 },
      { does: 'update' },
      // The wave of the update is the newest batch.
      { does: 'claim', worker: 1, batch: 2 },
      { does: 'push', worker: 1, results: ['accepted', 'accepted'] },
      { does: 'settle', worker: 1 },
      { does: 'update' },
      { does: 'stop' },
    ];
    for (const one of steps) await play.do(one);
    await play.finish();
    await play.demandLaw();
    play.demandEnd();
  });

  it('tells whoever was asked the newest message, once, whatever crashes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), async (steps) => {
        const play = await seed();
        for (const one of steps) {
          await play.do(one);
          await play.demandLaw();
        }
        await play.finish();
        await play.demandLaw();
        play.demandEnd();
      }),
      { numRuns: Number(process.env['LAW_RUNS'] ?? 100) },
    );
  }, 240_000);
});
