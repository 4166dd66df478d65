import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OfficerActor } from '#access';
import { CasePhotos } from '#cases';
import { Holds, type ProposedChange, PublicAlerts, Release } from '#dispatch';
import { drawnPortrait } from './harness/alert-rows.ts';
import { TestCity } from './harness/city.ts';
import { contended } from './harness/contended.ts';
import { makeActor, makeDevices, makeSubmission, type PlacedDevice, scatter, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';
import { until } from './harness/until.ts';

const NEAR_M = 10_000;
const WIDE_M = 30_000;
const near = { area: { kind: 'circle', center: SHENZHEN, radiusM: NEAR_M } } as const;
const RING: ProposedChange = { kind: 'ring', radiusM: WIDE_M };
const CORRECTED = {
  'zh-CN': { title: '更正：寻找走失女孩', body: '七岁，蓝色雨衣。' },
  en: { title: 'Corrected: missing girl', body: 'Seven years old, blue raincoat.' },
};
const TEXTS: ProposedChange = { kind: 'texts', texts: CORRECTED };

describe('changes of a live alert', () => {
  let city: TestCity;
  let tools: LiveAlertTools;
  let second: OfficerActor;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0, receiveRate: 1 } }, { PUSH_QUOTA_PER_MINUTE: '120000' });
    tools = new LiveAlertTools(city);
    second = await tools.verifier();
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices CASCADE');
    await city.simulator.configure({ latencyMs: { min: 0, max: 0 } });
  });

  const quiet = () => city.release(makeSubmission({ ...near, tier: 'page_only' }));

  /** The newest version of the alert that a phone shows, 0 for none. */
  const shown = async ({ token }: PlacedDevice, alertId: string): Promise<number> => {
    await city.simulator.drain();
    const [data] = city.simulator.shownBy(token).filter((one) => one['alert'] === alertId);
    return Number(data?.['version'] ?? 0);
  };

  const told = (alertId: string, kind: 'alert' | 'update' | 'found') => city.simulator.alertStats(alertId).byKind[kind];

  describe('a further ring', () => {
    it('asks exactly those whom no wave has asked, with the newest message', async () => {
      const inner = await makeDevices(city.source, scatter(400, SHENZHEN, NEAR_M - 2_000));
      const outer = await makeDevices(
        city.source,
        scatter(900, SHENZHEN, WIDE_M - 2_000).filter(([, lat]) => Math.abs(lat - SHENZHEN[1]) > 0.11),
      );
      const { alertId, caseId, targeted } = await city.release(makeSubmission(near));
      expect(targeted).toBe(inner.length);
      await city.settled(alertId);
      await tools.change(alertId, TEXTS);
      await city.settled(alertId);
      expect(await tools.change(alertId, RING)).toEqual({ targeted: outer.length });
      await city.settled(alertId);
      expect(told(alertId, 'alert')?.accepted).toBe(inner.length + outer.length);
      expect(city.simulator.alertStats(alertId).duplicates).toBe(0);
      expect(await shown(outer[0] as PlacedDevice, alertId)).toBe(2);
      expect(await shown(inner[0] as PlacedDevice, alertId)).toBe(2);
      expect((await tools.alert(caseId)).area).toMatchObject({ kind: 'circle', radiusM: WIDE_M });
      await tools.end(alertId);
      await city.settled(alertId);
      expect(told(alertId, 'found')?.accepted).toBe(inner.length + outer.length);
    });

    it('is refused when it is no wider, and previewed as every audience', async () => {
      await makeDevices(city.source, scatter(300, SHENZHEN, WIDE_M - 2_000));
      const { alertId } = await city.release(makeSubmission(near));
      await expect(tools.propose(alertId, { kind: 'ring', radiusM: NEAR_M })).rejects.toMatchObject({
        code: 'ring_not_wider',
      });
      const id = await tools.propose(alertId, RING);
      const { reached } = await tools.changes.look(city.verifier, alertId, id);
      expect(reached).toBeGreaterThan(200);
      const renewal = await tools.propose(alertId, { kind: 'renew', hours: 5 });
      await expect(tools.changes.look(city.verifier, alertId, renewal)).rejects.toMatchObject({
        code: 'change_not_previewable',
      });
      await city.settled(alertId);
    });
  });

  it('asks those in a new area, wherever it is, with the area that they are asked for', async () => {
    const [, far] = await makeDevices(city.source, [SHENZHEN, [114.5, 22.8]]);
    const { alertId } = await city.release(makeSubmission(near));
    const area = { kind: 'circle', center: [114.5, 22.8], radiusM: 3_000 } as const;
    expect(await tools.change(alertId, { kind: 'area', area })).toEqual({ targeted: 1 });
    await city.settled(alertId);
    await city.simulator.drain();
    const [data] = city.simulator.shownBy((far as PlacedDevice).token);
    expect(data?.['area']).toContain('"r":3000');
  });

  it('tells a corrected text to everyone who was asked, once, in the midst of a release', async () => {
    const devices = await makeDevices(city.source, scatter(3000, SHENZHEN, NEAR_M));
    await city.simulator.configure({ latencyMs: { min: 30, max: 150 } });
    const { alertId, slug, targeted } = await city.release();
    await until('some are asked', () => city.simulator.alertStats(alertId).accepted > 300);
    await tools.change(alertId, TEXTS);
    await tools.change(alertId, {
      kind: 'texts',
      texts: { ...CORRECTED, en: { title: 'Again', body: 'Green boots.' } },
    });
    await city.simulator.configure({ latencyMs: { min: 0, max: 0 } });
    await city.settled(alertId, 30_000);
    const ring = await city.books(alertId, 'ring');
    expect(ring).toMatchObject({ size: targeted, accepted: targeted, pending: 0 });
    expect(city.simulator.alertStats(alertId).duplicates).toBe(0);
    const versions = await Promise.all(devices.map((device) => shown(device, alertId)));
    expect(new Set(versions)).toEqual(new Set([3]));
    expect((await city.worker.get(PublicAlerts).bySlug(slug))?.message).toMatchObject({ kind: 'update', version: 3 });
  }, 60_000);

  it('renews from the approval on, and never shortens', async () => {
    const { alertId, caseId } = await quiet();
    const { expiresAt } = await tools.alert(caseId);
    await tools.change(alertId, { kind: 'renew', hours: 1 });
    expect((await tools.alert(caseId)).expiresAt).toEqual(expiresAt);
    await tools.change(alertId, { kind: 'renew', hours: 72 });
    const [row] = await city.source.query<[{ hours: number }]>(
      'SELECT round(extract(epoch FROM expires_at - now()) / 3600)::int AS hours FROM alerts WHERE id = $1',
      [alertId],
    );
    expect(row.hours).toBe(72);
  });

  describe('the photo', () => {
    const withPhoto = async (alert: Parameters<typeof makeSubmission>[0] = {}) => {
      const release = city.worker.get(Release);
      const id = await release.file(city.liaison, makeSubmission(alert));
      const photo = await city.worker.get(CasePhotos).add(city.liaison, id, await drawnPortrait());
      await release.rewrite(city.liaison, id, makeSubmission({ ...alert, photoId: photo.id }));
      await release.submit(city.liaison, id);
      const released = await release.verify(city.verifier, id, await city.versionOf(id));
      if (!released) throw new Error('no alert');
      return { ...released, photoId: photo.id };
    };

    it('comes down by one, and is put back by two with an update', async () => {
      await makeDevices(city.source, scatter(20, SHENZHEN, 900));
      const { alertId, slug, photoId } = await withPhoto();
      const pages = city.worker.get(PublicAlerts);
      expect(await pages.photo(slug)).toMatchObject({ jpeg: expect.any(Buffer) });
      await tools.photoDown(city.liaison, alertId, false);
      expect(await pages.photo(slug)).toBeNull();
      expect((await pages.bySlug(slug))?.hasPhoto).toBe(false);
      expect(await tools.reviews(alertId)).toEqual([{ act: 'alert.photo_down', officer: city.liaison.id }]);
      await city.settled(alertId);
      expect(told(alertId, 'update')).toBeUndefined();
      await tools.change(alertId, { kind: 'photo', photoId });
      await city.settled(alertId);
      expect(await pages.photo(slug)).toMatchObject({ jpeg: expect.any(Buffer) });
      expect(told(alertId, 'update')?.accepted).toBe(20);
    });

    it('that was wrong is taken back with a correction, to those who were asked, even on hold', async () => {
      const [asked] = await makeDevices(city.source, scatter(20, SHENZHEN, 900));
      const late = await makeDevices(city.source, [[SHENZHEN[0] + 0.2, SHENZHEN[1]]]);
      const { alertId } = await withPhoto(near);
      await city.settled(alertId);
      await city.worker.get(Holds).hold(city.verifier, alertId, 'wrong_facts');
      await tools.photoDown(city.verifier, alertId, true);
      await city.settled(alertId);
      expect(told(alertId, 'update')?.accepted).toBe(20);
      await city.simulator.drain();
      // Other tests' alerts may have asked the phone too.
      const bodyOn = ({ token }: PlacedDevice) =>
        String(city.simulator.shownBy(token).find(({ alert }) => alert === alertId)?.['body']);
      expect(bodyOn(asked as PlacedDevice)).toMatch(/^(更正|Correction)/);
      expect(bodyOn(asked as PlacedDevice)).toMatch(/110$/);
      await tools.change(alertId, { kind: 'resume' });
      await tools.change(alertId, RING);
      await city.settled(alertId);
      await city.simulator.drain();
      expect(bodyOn(late[0] as PlacedDevice)).not.toMatch(/更正|Correction/);
      expect(city.simulator.alertStats(alertId).duplicates).toBe(0);
    });

    it('may be a new one, added while the alert is live by anyone but its verifier', async () => {
      const { alertId, slug, caseId } = await quiet();
      const photos = city.worker.get(CasePhotos);
      const portrait = await drawnPortrait();
      const both = { ...city.verifier, roles: ['liaison', 'verifier'] as const };
      await expect(photos.add(both, caseId, portrait)).rejects.toMatchObject({ code: 'verifier_is_author' });
      const uploader = await makeActor(city.source, city.liaison.agencyId, 'liaison', 'verifier');
      const photo = await photos.add(uploader, caseId, portrait);
      const change = await tools.propose(alertId, { kind: 'photo', photoId: photo.id });
      await expect(tools.approve(alertId, change, uploader)).rejects.toMatchObject({ code: 'verifier_is_author' });
      await tools.approve(alertId, change);
      expect(await city.worker.get(PublicAlerts).photo(slug)).toMatchObject({ jpeg: expect.any(Buffer) });
    });

    it('must be one of the case', async () => {
      const { alertId } = await quiet();
      const photoId = '00000000-0000-4000-8000-000000000000';
      await expect(tools.propose(alertId, { kind: 'photo', photoId })).rejects.toMatchObject({
        code: 'photo_not_found',
      });
    });
  });

  describe('authority', () => {
    it('is of a second officer who wrote no part, nor what it builds on', async () => {
      const { alertId } = await quiet();
      const both = await makeActor(city.source, city.liaison.agencyId, 'liaison', 'verifier');
      const first = await tools.propose(alertId, TEXTS, both);
      await expect(tools.approve(alertId, first, both)).rejects.toMatchObject({ code: 'verifier_is_author' });
      await tools.approve(alertId, first, second);
      const next = await tools.propose(alertId, TEXTS);
      await expect(tools.approve(alertId, next, both)).rejects.toMatchObject({ code: 'verifier_is_author' });
      const renewal = await tools.propose(alertId, { kind: 'renew', hours: 2 });
      await tools.approve(alertId, renewal, both);
      await tools.approve(alertId, next, second);
    });

    it('is not of the one who wrote the case', async () => {
      const author = await makeActor(city.source, city.liaison.agencyId, 'liaison', 'verifier');
      const release = city.worker.get(Release);
      const id = await release.file(author, makeSubmission({ tier: 'page_only' }));
      await release.submit(author, id);
      const released = await release.verify(city.verifier, id, await city.versionOf(id));
      const alertId = released?.alertId ?? '';
      const change = await tools.propose(alertId, TEXTS, second);
      await expect(tools.approve(alertId, change, author)).rejects.toMatchObject({ code: 'verifier_is_author' });
    });

    it('takes a fresh proof of who one is, a verifier, and the agency', async () => {
      const { alertId } = await quiet();
      const id = await tools.propose(alertId, TEXTS);
      const stale = { ...city.verifier, steppedUpAt: new Date(Date.now() - 3_600_000) };
      await expect(tools.approve(alertId, id, stale)).rejects.toMatchObject({ code: 'step_up_required' });
      const liaison = await makeActor(city.source, city.liaison.agencyId, 'liaison');
      await expect(tools.approve(alertId, id, liaison)).rejects.toMatchObject({ code: 'forbidden' });
      const other = await makeActor(city.source, await tools.otherAgency(), 'verifier');
      await expect(tools.approve(alertId, id, other)).rejects.toMatchObject({ code: 'alert_not_found' });
      await expect(tools.changes.list(other, alertId)).rejects.toMatchObject({ code: 'alert_not_found' });
    });

    it('is barred by a declared conflict', async () => {
      const { alertId, caseId } = await quiet();
      const id = await tools.propose(alertId, TEXTS);
      await city.source.query('UPDATE cases SET conflicted_ids = ARRAY[$2::uuid] WHERE id = $1', [caseId, second.id]);
      await expect(tools.propose(alertId, RING, second)).rejects.toMatchObject({ code: 'conflict_of_interest' });
      await expect(tools.approve(alertId, id, second)).rejects.toMatchObject({ code: 'conflict_of_interest' });
      await expect(city.worker.get(Holds).hold(second, alertId, 'other')).rejects.toMatchObject({
        code: 'conflict_of_interest',
      });
    });

    it('is bound to what was seen: whatever else is changed, held or told meanwhile, it is refused', async () => {
      const { alertId } = await quiet();
      const id = await tools.propose(alertId, RING);
      const moves: (() => Promise<unknown>)[] = [
        () => tools.change(alertId, TEXTS),
        () => tools.change(alertId, { kind: 'renew', hours: 30 }),
        () => city.worker.get(Holds).hold(city.liaison, alertId, 'other'),
        () => tools.change(alertId, { kind: 'resume' }),
      ];
      for (const move of moves) {
        const seen = await tools.versionOf(alertId, id);
        await move();
        await expect(tools.changes.approve(city.verifier, alertId, id, seen)).rejects.toMatchObject({
          code: 'version_changed',
        });
      }
    });

    it('is withdrawn by its author alone, rejected with a reason that only officers read', async () => {
      const { alertId } = await quiet();
      const mine = await tools.propose(alertId, TEXTS);
      await expect(tools.changes.withdraw(city.verifier, alertId, mine)).rejects.toMatchObject({
        code: 'change_not_found',
      });
      await tools.changes.withdraw(city.liaison, alertId, mine);
      const other = await tools.propose(alertId, TEXTS);
      await tools.changes.reject(city.verifier, alertId, other, 'canary-reason 不要这样');
      await expect(tools.changes.approve(second, alertId, other, '0'.repeat(64))).rejects.toMatchObject({
        code: 'change_decided',
      });
      const [rejected, withdrawn] = await tools.changes.list(city.liaison, alertId);
      expect(rejected).toMatchObject({
        change: { state: 'rejected' },
        reason: 'canary-reason 不要这样',
        version: null,
      });
      expect(withdrawn).toMatchObject({ change: { state: 'withdrawn' }, reason: null });
      const [row] = await city.source.query<[{ leaked: number }]>(
        `SELECT count(*) AS leaked FROM alert_changes c WHERE encode(c.reason, 'escape') LIKE '%canary%'`,
      );
      expect(row.leaked).toBe(0);
    });
  });

  describe('two at the same time', () => {
    it('approve or end: the end stands, the change comes before it or not at all', async () => {
      await makeDevices(city.source, scatter(30, SHENZHEN, 900));
      const { alertId, caseId } = await city.release(makeSubmission(near));
      await city.settled(alertId);
      const id = await tools.propose(alertId, TEXTS);
      const version = await tools.versionOf(alertId, id);
      const [approved] = await contended(city.source, 'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE', caseId, 2, () =>
        Promise.allSettled([tools.changes.approve(city.verifier, alertId, id, version), tools.end(alertId, second)]),
      );
      if (approved.status === 'rejected') expect(approved.reason).toMatchObject({ code: 'alert_ended' });
      await city.settled(alertId);
      expect((await tools.row(alertId)).state).toBe('ended');
      expect(told(alertId, 'found')?.accepted).toBe(30);
    });

    it('hold or approve: a widening does not slip past a hold', async () => {
      const { alertId, caseId } = await quiet();
      const id = await tools.propose(alertId, RING);
      const version = await tools.versionOf(alertId, id);
      const [approved, held] = await contended(
        city.source,
        'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE',
        caseId,
        2,
        () =>
          Promise.allSettled([
            tools.changes.approve(city.verifier, alertId, id, version),
            city.worker.get(Holds).hold(second, alertId, 'danger'),
          ]),
      );
      expect(held.status).toBe('fulfilled');
      if (approved.status === 'rejected') expect(approved.reason).toMatchObject({ code: 'version_changed' });
      expect((await tools.row(alertId)).heldAt).not.toBeNull();
    });

    it('one of two approvals wins', async () => {
      const { alertId, caseId } = await quiet();
      const id = await tools.propose(alertId, TEXTS);
      const version = await tools.versionOf(alertId, id);
      const both = await contended(city.source, 'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE', caseId, 2, () =>
        Promise.allSettled([
          tools.changes.approve(city.verifier, alertId, id, version),
          tools.changes.approve(second, alertId, id, version),
        ]),
      );
      expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject({ code: 'change_decided' });
    });

    it('one of two verifications wins', async () => {
      const id = await city.submit(makeSubmission({ tier: 'page_only' }));
      const version = await city.versionOf(id);
      const both = await contended(city.source, 'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE', id, 2, () =>
        Promise.allSettled([
          tools.release.verify(city.verifier, id, version),
          tools.release.verify(second, id, version),
        ]),
      );
      expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    });

    it('verify or edit: what is released is what was read', async () => {
      const id = await city.submit(makeSubmission({ tier: 'page_only' }));
      const version = await city.versionOf(id);
      const edit = async () => {
        await tools.release.decline(second, id, 'return', 'Please correct the clothes.');
        await tools.release.rewrite(city.liaison, id, makeSubmission({ tier: 'page_only', texts: CORRECTED }));
      };
      const [verified, edited] = await contended(
        city.source,
        'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE',
        id,
        2,
        () => Promise.allSettled([tools.release.verify(city.verifier, id, version), edit()]),
      );
      expect([verified.status, edited.status].toSorted()).toEqual(['fulfilled', 'rejected']);
      const { state } = await tools.alert(id);
      expect(state).toBe(verified.status === 'fulfilled' ? 'live' : 'proposed');
    });
  });
});
