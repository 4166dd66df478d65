import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { isbot } from 'isbot';
import type { Settings, Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import { api, cleanUp, payload, removeScratch, Sender, simulator, until, type Api } from './fcm-simulator.harness.ts';

const AT_ONCE = { min: 0, max: 0 };
const NOW: Partial<Settings['phones']> = {
  deliveryMs: AT_ONCE,
  openMs: AT_ONCE,
  forwardMs: AT_ONCE,
  viewMs: AT_ONCE,
  sightingMs: AT_ONCE,
};
/** Every phone receives, none does more unless a test asks. */
const QUIET = { ...NOW, receiveRate: 1, openRate: 0, endingOpenRate: 0, forwardRate: 0, duplicateRate: 0 };

interface Item {
  readonly ref: string;
  readonly kind: string;
}

function receipts(stub: Api): Item[] {
  return stub.to('/v1/receipts').flatMap((request) => request.body['items'] as Item[]);
}

async function sendMany(sim: Simulator, count: number, overrides: Record<string, string> = {}): Promise<void> {
  const sender = await Sender.to(sim);
  const one = (i: number) => sender.send({ token: `t${i}`, data: payload({ ref: `ref-${i}`, ...overrides }) });
  const results = await Promise.all(Array.from({ length: count }, (_, i) => one(i)));
  expect(results.every((result) => result.status === 200)).toBe(true);
}

afterEach(cleanUp);
afterAll(removeScratch);

describe('what phones show', () => {
  it('replaces a version by a higher one and drops lower and equal ones', async () => {
    const sim = await simulator({ settings: { phones: QUIET } });
    const sender = await Sender.to(sim);
    for (const [version, kind] of [
      ['2', 'alert'],
      ['2', 'alert'],
      ['10', 'found'],
      ['9', 'update'],
    ] as const) {
      await sender.send({ token: 't', data: payload({ version, kind, ref: `v${version}` }) });
      await sim.drain();
    }
    await sender.send({ token: 't', data: payload({ alert: 'A2', sound: 'silent' }) });
    await sim.drain();
    expect(sim.shownBy('t')).toEqual([
      payload({ version: '10', kind: 'found', ref: 'v10' }),
      payload({ alert: 'A2', sound: 'silent' }),
    ]);
    expect(sim.stats().phones).toMatchObject({ received: 3, shown: 3, replaced: 1, ignoredStale: 2, silent: 1 });
    expect(sim.alertStats('A1').phones).toMatchObject({ received: 2, replaced: 1, ignoredStale: 2, silent: 0 });
  });

  it('decides the same for the same seed, and adds up', async () => {
    const run = async (seed: number) => {
      const sim = await simulator({ seed, settings: { phones: { ...NOW, outsideRate: 0.2 } } });
      await sendMany(sim, 1000);
      await sendMany(sim, 1000, { version: '2', kind: 'found' });
      expect(await sim.drain()).toEqual({ drained: true, pending: 0 });
      return sim.stats();
    };
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again.phones).toEqual(first.phones);
    expect(other.phones).not.toEqual(first.phones);
    const { offline, received, ignoredStale, shown, outside } = first.phones;
    expect(first.accepted + first.deliveredUnanswered).toBe(offline + received + ignoredStale);
    expect(received).toBe(shown + outside);
    expect(Math.abs(offline / 2000 - 0.1)).toBeLessThan(0.04);
    expect(Math.abs(outside / received - 0.2)).toBeLessThan(0.05);
  });

  it('waits for what is pending, or says that it did not', async () => {
    const sim = await simulator({ settings: { phones: { ...QUIET, deliveryMs: { min: 60_000, max: 60_000 } } } });
    await sendMany(sim, 3);
    expect(await sim.drain(0)).toEqual({ drained: false, pending: 3 });
  });
});

describe('a phone that is switched off', () => {
  const send = async (sender: Sender, alert: string, version: string) =>
    sender.send({ token: 't', data: payload({ alert, version }), android: { collapse_key: alert } });

  it('gets the newest message of each of four collapse keys when it comes back, the oldest key being dropped', async () => {
    const sim = await simulator({ settings: { phones: QUIET }, keepArrivals: true });
    const sender = await Sender.to(sim);
    sim.switchPhone('t', false);
    for (const alert of ['A1', 'A2', 'A3', 'A4', 'A5']) await send(sender, alert, '1');
    await send(sender, 'A3', '2');
    expect(sim.shownBy('t')).toEqual([]);
    sim.switchPhone('t', true);
    await sim.drain();
    const shown = sim.shownBy('t').map(({ alert, version }) => `${String(alert)}/${String(version)}`);
    expect(shown.sort()).toEqual(['A2/1', 'A3/2', 'A4/1', 'A5/1']);
    expect(sim.stats().phones).toMatchObject({ offline: 2, received: 4 });
    expect(sim.arrivals('A3')).toMatchObject([
      { token: 't', kind: 'alert', version: 1, collapseKey: 'A3', answered: true },
      { version: 2 },
    ]);
  });

  it('receives as ever afterwards', async () => {
    const sim = await simulator({ settings: { phones: QUIET } });
    const sender = await Sender.to(sim);
    sim.switchPhone('t', false);
    sim.switchPhone('t', true);
    await send(sender, 'A1', '1');
    await sim.drain();
    expect(sim.shownBy('t')).toHaveLength(1);
    expect(sim.arrivals('A1')).toBeUndefined();
  });
});

describe('receipts', () => {
  it('come in requests of at most 500, duplicates beside them uncounted', async () => {
    const stub = await api();
    const phones = { ...QUIET, openRate: 0.3, duplicateRate: 0.5 };
    const sim = await simulator({ apiUrl: stub.url, settings: { phones } });
    await sendMany(sim, 1200);
    expect((await sim.drain()).drained).toBe(true);
    const items = receipts(stub);
    const refs = (kind: string) => items.filter((item) => item.kind === kind).map((item) => item.ref);
    const counts = sim.stats().phones;
    expect(new Set(refs('received')).size).toBe(1200);
    expect(counts.received).toBe(1200);
    expect(refs('received').length).toBeGreaterThan(1500);
    expect(refs('opened')).toHaveLength(counts.opened);
    expect(counts.opened).toBeGreaterThan(250);
    const sizes = stub.to('/v1/receipts').map((request) => (request.body['items'] as Item[]).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(sizes.length).toBeLessThan(items.length / 10);
  });

  it("say only 'outside' for a phone that knows itself outside", async () => {
    const stub = await api();
    const phones = { ...QUIET, outsideRate: 1, openRate: 1, forwardRate: 1, sightings: 3 };
    const sim = await simulator({ apiUrl: stub.url, settings: { phones } });
    await sendMany(sim, 5);
    await sim.drain();
    expect(receipts(stub)).toEqual(Array.from({ length: 5 }, (_, i) => ({ ref: `ref-${i}`, kind: 'outside' })));
    expect(stub.seen.every((request) => request.path === '/v1/receipts')).toBe(true);
    expect(sim.shownBy('t0')).toEqual([]);
  });

  it('are tried again after 503 and 429, and given up as errors on a refusal', async () => {
    const busy = await api((_seen, nth) => (nth === 1 ? 503 : nth === 2 ? 429 : 200));
    const patient = await simulator({ apiUrl: busy.url, settings: { phones: QUIET } });
    await sendMany(patient, 4);
    await patient.drain();
    expect(busy.seen).toHaveLength(3);
    expect(patient.stats().phones).toMatchObject({ received: 4, apiErrors: 0 });
    const refusing = await api(() => 400);
    const refused = await simulator({ apiUrl: refusing.url, settings: { phones: QUIET } });
    await sendMany(refused, 4);
    await refused.drain();
    expect(refusing.seen).toHaveLength(1);
    expect(refused.stats().phones).toMatchObject({ received: 4, apiErrors: 1 });
  });
});

describe('forwards', () => {
  it('grow a tree of links at most four deep, viewed by people', async () => {
    const stub = await api();
    const phones = { ...QUIET, openRate: 1, forwardRate: 0.5, friendForwardRate: 0.6 };
    const sim = await simulator({ apiUrl: stub.url, settings: { phones } });
    await sendMany(sim, 60);
    expect((await sim.drain()).drained).toBe(true);
    const depthOf = new Map<string, number>();
    stub.seen.forEach((request, index) => {
      if (request.path !== '/v1/forwards') return;
      const parent = request.body['parent'] as string | undefined;
      if (parent === undefined) expect(request.body).toEqual({ ref: expect.stringMatching(/^ref-\d+$/) });
      depthOf.set(`f${index + 1}`, parent === undefined ? 1 : (depthOf.get(parent) ?? NaN) + 1);
    });
    expect(Math.max(...depthOf.values())).toBe(4);
    const views = stub.seen.filter((request) => request.method === 'GET');
    const { forwards, views: viewed, apiErrors } = sim.stats().phones;
    expect([forwards, viewed, apiErrors]).toEqual([depthOf.size, views.length, 0]);
    expect(views.every((view) => depthOf.has(view.path.replace('/a/a-slug?f=', '')))).toBe(true);
    const browsers = views.map((view) => view.headers['user-agent'] ?? '');
    expect(new Set(browsers).size).toBe(browsers.length);
    expect(browsers.filter((browser) => isbot(browser))).toEqual([]);
  });

  it('are not made of anything but an alert', async () => {
    const stub = await api();
    const phones = { ...QUIET, openRate: 1, endingOpenRate: 1, forwardRate: 1, sightings: 5 };
    const sim = await simulator({ apiUrl: stub.url, settings: { phones } });
    for (const kind of ['update', 'cancel', 'found', 'expire']) await sendMany(sim, 5, { kind, alert: kind });
    await sim.drain();
    expect(stub.seen.every((request) => request.path === '/v1/receipts')).toBe(true);
    expect(sim.stats().phones).toMatchObject({ received: 20, opened: 20, forwards: 0, sightings: 0 });
  });

  it('stop when an ending has replaced the alert', async () => {
    const stub = await api();
    const phones = { ...QUIET, openRate: 1, forwardRate: 1, sightings: 5, forwardMs: { min: 2000, max: 2000 } };
    const late = { ...phones, sightingMs: { min: 2000, max: 2000 } };
    const sim = await simulator({ apiUrl: stub.url, settings: { phones: late } });
    await sendMany(sim, 5);
    await until(() => sim.stats().phones.opened === 5);
    await sendMany(sim, 5, { kind: 'found', version: '2' });
    await sim.drain();
    expect(sim.stats().phones).toMatchObject({ replaced: 5, forwards: 0, sightings: 0 });
  });
});

describe('sightings', () => {
  it('are as many as asked for each alert, inside its area, of the recent past', async () => {
    const stub = await api();
    const phones = { ...QUIET, openRate: 1, sightings: 4 };
    const sim = await simulator({ apiUrl: stub.url, settings: { phones } });
    await sendMany(sim, 30);
    await sendMany(sim, 30, { alert: 'A2', slug: 'other', area: '{"b":[179.5,-10,-179.5,-9]}' });
    await sim.drain();
    const first = stub.to('/v1/alerts/a-slug/sightings');
    const second = stub.to('/v1/alerts/other/sightings');
    expect([first.length, second.length]).toEqual([4, 4]);
    expect(sim.alertStats('A1').phones.sightings).toBe(4);
    for (const { body } of [...first, ...second]) {
      const { observedAt, place, ...rest } = body;
      expect(rest).toEqual({ ref: expect.stringMatching(/^ref-/), words: expect.any(String) });
      expect(Date.parse(String(observedAt))).toBeLessThanOrEqual(Date.now());
      expect(place).toMatchObject({ datum: 'wgs84' });
    }
    for (const { body } of first) {
      const { lon, lat } = body['place'] as { lon: number; lat: number };
      expect(Math.hypot((lon - 114.06) * 102.8, (lat - 22.54) * 111.3)).toBeLessThan(122);
    }
    for (const { body } of second) {
      const { lon, lat } = body['place'] as { lon: number; lat: number };
      expect(Math.abs(lon)).toBeGreaterThan(179);
      expect(lat).toBeGreaterThan(-10.1);
      expect(lat).toBeLessThan(-8.9);
    }
    const words = first.map(({ body }) => String(body['words']));
    expect(words.some((text) => /\p{Script=Han}/u.test(text))).toBe(true);
    expect(words.some((text) => text.includes('flying saucer'))).toBe(true);
  });
});
