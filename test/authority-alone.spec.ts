import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OfficerActor, Role } from '#access';
import { CasePhotos, Cases, Conflicts } from '#cases';
import { Ending, Freezing, LandAsks, type ProposedChange, Release } from '#dispatch';
import { RequestContext } from '#platform';
import { drawnPortrait } from './harness/alert-rows.ts';
import { TestCity } from './harness/city.ts';
import { makeActor, makeDevices, makeSubmission, scatter, seedAgency, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';

const QUIET = { tier: 'page_only' } as const;
const CLOSED = { outcome: 'safe', cause: 'none' } as const;
const WORDS = (title: string): ProposedChange => ({
  kind: 'texts',
  texts: { 'zh-CN': { title, body: '七岁，黄色雨衣。' }, en: { title, body: 'Seven years old.' } },
});

describe('what one officer could do alone', () => {
  let city: TestCity;
  let tools: LiveAlertTools;

  beforeAll(async () => {
    city = await TestCity.start();
    tools = new LiveAlertTools(city);
  }, 60_000);

  afterAll(() => city?.close());

  const officer = (...roles: Role[]) => makeActor(city.source, city.liaison.agencyId, ...roles);
  const quiet = () => city.release(makeSubmission(QUIET));
  const draft = () => city.worker.get(Release).file(city.liaison, makeSubmission(QUIET));
  const reviewsOf = (officerId: string) =>
    city.source.query<{ act: string; thing: string }[]>(
      'SELECT act, thing FROM reviews WHERE officer_id = $1 ORDER BY created_at',
      [officerId],
    );
  const giving = <Result>(reason: string, work: () => Promise<Result>): Promise<Result> =>
    city.worker.get(RequestContext, { strict: false }).run({ network: '203.0.113.0', sessionId: null, reason }, work);

  describe('is looked at by another', () => {
    it('where they end an alert or close a case', async () => {
      const alone = await officer('liaison');
      const { alertId } = await quiet();
      await tools.end(alertId, alone);
      const caseId = await city.submit(makeSubmission(QUIET));
      const released = await city.worker.get(Release).verify(city.verifier, caseId, await city.versionOf(caseId));
      await city.source.query(`UPDATE alerts SET expires_at = now() WHERE id = $1`, [released?.alertId]);
      await city.worker.get(Ending).expireOverdue();
      await city.worker.get(Ending).closeCase(alone, caseId, CLOSED);
      expect(await reviewsOf(alone.id)).toEqual([
        { act: 'alert.found', thing: `alert:${alertId}` },
        { act: 'case.close', thing: `case:${caseId}` },
      ]);
    });

    it.each<[string, (who: OfficerActor, caseId: string) => Promise<unknown>, () => Promise<string>]>([
      [
        'a photo added to an active case',
        async (who, id) => city.worker.get(CasePhotos).add(who, id, await drawnPortrait()),
        async () => (await quiet()).caseId,
      ],
      ['a draft of others submitted', (who, id) => city.worker.get(Release).submit(who, id), draft],
      [
        'a draft of others written anew',
        (who, id) => city.worker.get(Release).rewrite(who, id, makeSubmission(QUIET)),
        draft,
      ],
    ])('where they make themselves an author to read as one: %s', async (_, joins, made) => {
      const [curious, sent] = [await officer('liaison'), await officer('liaison')];
      const [one, another] = [await made(), await made()];
      await joins(curious, one);
      await city.worker.get(Cases).read(curious, one);
      expect(await reviewsOf(curious.id)).toMatchObject([{ thing: `case:${one}` }]);
      await giving('handover', () => joins(sent, another));
      expect(await reviewsOf(sent.id)).toEqual([]);
    });

    it('where they tell of a conflict after they released the alert, and not before', async () => {
      const [late, early] = [await officer('verifier'), await officer('verifier')];
      const caseId = await city.submit(makeSubmission(QUIET));
      await city.worker.get(Conflicts).declare(early, caseId);
      await city.worker.get(Release).verify(late, caseId, await city.versionOf(caseId));
      await city.worker.get(Conflicts).declare(late, caseId);
      expect(await reviewsOf(late.id)).toEqual([{ act: 'case.conflict', thing: `case:${caseId}` }]);
      expect(await reviewsOf(early.id)).toEqual([]);
    });

    it('but not what authors go on doing', async () => {
      const author = await officer('liaison');
      const id = await city.worker.get(Release).file(author, makeSubmission(QUIET));
      await city.worker.get(Release).rewrite(author, id, makeSubmission(QUIET));
      await city.worker.get(CasePhotos).add(author, id, await drawnPortrait());
      await city.worker.get(Release).submit(author, id);
      expect(await reviewsOf(author.id)).toEqual([]);
    });
  });

  it('is not to approve what builds on their own words, whichever was proposed first', async () => {
    const { alertId } = await quiet();
    const [first, second] = [await officer('liaison', 'verifier'), await officer('liaison')];
    const own = await tools.propose(alertId, WORDS('A'), first);
    const later = await tools.propose(alertId, WORDS('B'), second);
    await tools.approve(alertId, own);
    await expect(tools.approve(alertId, later, first)).rejects.toMatchObject({ code: 'verifier_is_author' });
    await tools.approve(alertId, later);
  });

  it('tells nobody of a wrong photo where there was none', async () => {
    const { alertId } = await quiet();
    await tools.photoDown(city.liaison, alertId, true);
    const [{ messages }] = await city.source.query<[{ messages: number }]>(
      'SELECT count(*)::int AS messages FROM messages WHERE alert_id = $1',
      [alertId],
    );
    expect(messages).toBe(1);
    expect(await tools.reviews(alertId)).toEqual([]);
  });

  it('leaves behind which cases a list showed', async () => {
    const alone = await officer('liaison');
    const { cases } = await city.worker.get(Cases).list(alone, { limit: 2 });
    const [{ detail }] = await city.source.query<[{ detail: object }]>(
      `SELECT detail FROM audit_entries WHERE actor = $1 AND action = 'case.list'`,
      [`officer:${alone.id}`],
    );
    expect(detail).toEqual({ cases: 2, first: cases[0]?.id, last: cases[1]?.id });
  });

  it('is not to say yes for a neighbour to the area that they drew themselves', async () => {
    const { agencyId } = city.liaison;
    const beside = await seedAgency(city.source, [SHENZHEN[0], SHENZHEN[1] + 4.1]);
    await city.source.query(`UPDATE agencies SET neighbour_policy = 'ask' WHERE id = $1`, [beside]);
    const parent = await seedAgency(city.source, [0, 0], 1);
    const above = async () => ({
      ...(await makeActor(city.source, parent, 'verifier')),
      belowIds: [agencyId, beside],
    });
    const [drawer, other] = [await above(), await above()];
    const near = { kind: 'circle', center: SHENZHEN, radiusM: 10_000 } as const;
    const { alertId } = await city.release(makeSubmission({ area: near }));
    const wide = { kind: 'ring', radiusM: 300_000 } as const;
    await tools.approve(alertId, await tools.propose(alertId, wide, drawer));
    const asks = city.worker.get(LandAsks);
    const ask = (await asks.list(drawer)).find((one) => one.alertId === alertId && one.agencyId === beside);
    const [id, seen] = [ask?.id ?? randomUUID(), ask?.seen ?? ''];
    await expect(asks.agree(drawer, id, seen)).rejects.toMatchObject({ code: 'verifier_is_author' });
    await asks.agree(other, id, seen);
  });

  it('does not reach their neighbours’ land from the moment they are frozen', async () => {
    const beside = await seedAgency(city.source, [SHENZHEN[0] + 4.1, SHENZHEN[1]]);
    await city.source.query(`UPDATE agencies SET neighbour_policy = 'ask' WHERE id = $1`, [beside]);
    const [verifier, chief] = [
      await makeActor(city.source, beside, 'verifier'),
      await makeActor(city.source, beside, 'verifier'),
    ];
    await makeDevices(city.source, scatter(20, SHENZHEN, 900));
    const area = { kind: 'circle', center: SHENZHEN, radiusM: 300_000 } as const;
    await city.release(makeSubmission({ area }));
    const asks = city.worker.get(LandAsks);
    const [ask] = await asks.list(verifier);
    await city.worker.get(Freezing).freezeOfficer(chief, verifier.id);
    const [id, seen] = [ask?.id ?? randomUUID(), ask?.seen ?? ''];
    await expect(asks.agree(verifier, id, seen)).rejects.toMatchObject({ code: 'session_invalid' });
    await asks.agree(chief, id, seen);
  });
});
