import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asksAnswer } from '../apps/api/src/asks/asks.schemas.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { makeDevices, scatter } from './harness/fixtures.ts';

/** Stands in every private field of the case: to be seen by no neighbour. */
const CANARY = 'canary-51c9';
const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
const box = (w: number, s: number, e: number, n: number) => ({
  type: 'Polygon' as const,
  coordinates: [[[w, s], [e, s], [e, n], [w, n], [w, s]]], // prettier-ignore
});

const submission = {
  case: {
    type: 'runaway',
    name: `${CANARY} name`,
    looks: `${CANARY} looks`,
    circumstances: `${CANARY} circumstances`,
    lastSeen: {
      from: ago(3),
      until: ago(2),
      place: `${CANARY} place`,
      point: { lon: 114.06, lat: 22.54, datum: 'wgs84' },
    },
    consent: { given: 'none', reason: `${CANARY} consent` },
    custodyOrderChecked: true,
    publicity: 'safe',
  },
  alert: {
    tier: 'critical',
    area: { kind: 'circle', center: { lon: 114.06, lat: 22.54, datum: 'wgs84' }, radiusM: 60_000 },
    place: { 'zh-CN': '深圳莲花山', en: 'Lianhuashan, Shenzhen' },
    texts: {
      'zh-CN': { title: '寻找走失男孩', body: '六岁,红色书包。' },
      en: { title: 'Missing boy', body: 'Six years old, red school bag.' },
    },
  },
};

describe('asks over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let east: string;
  let liaison: string;
  let verifier: string;
  let neighbour: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    const home = await makeAgency(api.app, { jurisdiction: box(113.9, 22.3, 114.2, 22.8) });
    east = await makeAgency(api.app, { jurisdiction: box(114.2, 22.3, 114.8, 22.8) });
    const officer = async (agencyId: string, ...roles: ('liaison' | 'verifier')[]) =>
      signIn(api.url, await makeOfficer(api.app, { agencyId, roles }));
    [liaison, verifier, neighbour] = [await officer(home, 'liaison'), await officer(home, 'verifier'), await officer(east, 'verifier')]; // prettier-ignore
    await makeDevices(api.app.get(DataSource), scatter(600, [114.06, 22.54], 60_000));
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const release = async () => {
    const filed = await call<{ id: string }>(api.url, 'POST', '/v1/cases', { cookie: liaison, json: submission });
    const path = `/v1/cases/${filed.body.id}`;
    const preview = await call(api.url, 'GET', `${path}/preview`, { cookie: liaison });
    await call(api.url, 'POST', `${path}/submit`, { cookie: liaison });
    const read = await call<{ version: string; neighbours: unknown }>(api.url, 'GET', path, { cookie: verifier });
    const { version } = read.body;
    const released = await call(api.url, 'POST', `${path}/verify`, { cookie: verifier, json: { version } });
    return { caseId: filed.body.id, preview: preview.body, before: read.body.neighbours, released: released.body };
  };

  const asksOf = async (cookie: string) => {
    const answer = await call(api.url, 'GET', '/v1/asks', { cookie });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    return { said: JSON.stringify(answer.body), ...asksAnswer.parse(answer.body) };
  };

  const neighboursOf = async (caseId: string) =>
    (await call<{ neighbours: unknown }>(api.url, 'GET', `/v1/cases/${caseId}`, { cookie: liaison })).body.neighbours;

  it('show the neighbour the public alert and nothing of the case, and take its yes', async () => {
    const { caseId, preview, before, released } = await release();
    const foreseen = { agencyId: east, name: expect.any(String), policy: 'ask', state: null };
    expect(preview['neighbours']).toEqual([foreseen]);
    expect(before).toEqual([foreseen]);
    expect(released['waiting']).toEqual(expect.any(Number));
    expect(await neighboursOf(caseId)).toEqual([{ ...foreseen, state: 'asked' }]);

    const { asks, said } = await asksOf(neighbour);
    expect(asks).toHaveLength(1);
    const [ask] = asks as [(typeof asks)[number]];
    expect(ask.alert).toMatchObject({ texts: submission.alert.texts, place: submission.alert.place, photoUrl: null });
    expect(said).not.toContain(CANARY);
    expect(said).not.toContain('runaway');
    expect(said).not.toContain(caseId);
    expect((await call(api.url, 'GET', `/v1/cases/${caseId}`, { cookie: neighbour })).status).toBe(404);
    expect((await asksOf(verifier)).asks).toEqual([]);

    const path = `/v1/asks/${ask.id}/agree`;
    const stale = await call(api.url, 'POST', path, { cookie: neighbour, json: { version: 'f'.repeat(64) } });
    expect([stale.status, stale.body['code']]).toEqual([409, 'version_changed']);
    const strange = await call(api.url, 'POST', path, { cookie: verifier, json: { version: ask.version } });
    expect([strange.status, strange.body['code']]).toEqual([404, 'ask_not_found']);
    const agreed = await call(api.url, 'POST', path, { cookie: neighbour, json: { version: ask.version } });
    expect(agreed.status).toBe(204);
    const again = await call(api.url, 'POST', path, { cookie: neighbour, json: { version: ask.version } });
    expect([again.status, again.body['code']]).toEqual([409, 'ask_decided']);
    expect(await neighboursOf(caseId)).toEqual([{ ...foreseen, state: 'agreed' }]);
    expect((await asksOf(neighbour)).asks).toEqual([]);
  });

  it('take a no for a reason, and forget the alert when it is over', async () => {
    const { caseId, released } = await release();
    const [ask] = (await asksOf(neighbour)).asks;
    const path = `/v1/asks/${ask?.id}/refuse`;
    expect((await call(api.url, 'POST', path, { cookie: neighbour, json: { reason: 'because' } })).status).toBe(400);
    expect((await call(api.url, 'POST', path, { cookie: neighbour, json: { reason: 'operation' } })).status).toBe(204);
    expect(await neighboursOf(caseId)).toMatchObject([{ state: 'refused' }]);
    expect((await asksOf(neighbour)).asks).toMatchObject([{ state: 'refused' }]);
    const end = { kind: 'cancel', outcome: 'unfounded', cause: 'none' };
    expect((await call(api.url, 'POST', `/v1/alerts/${String(released['alertId'])}/end`, { cookie: liaison, json: end })).status).toBe(204); // prettier-ignore
    expect((await asksOf(neighbour)).asks).toEqual([]);
    const late = await call(api.url, 'POST', `/v1/asks/${ask?.id}/agree`, { cookie: neighbour, json: { version: ask?.version } }); // prettier-ignore
    expect([late.status, late.body['code']]).toEqual([410, 'alert_ended']);
  });
});
