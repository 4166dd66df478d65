import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Alerts, Release, submissionVersion, SystemHolds } from '#dispatch';
import { Cases, CasePhotos } from '#cases';
import { DataSource } from 'typeorm';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi, type TestOfficer } from './harness/api.ts';
import { drawnPortrait } from './harness/alert-rows.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { makeActor, makeSubmission } from './harness/fixtures.ts';

interface Change {
  readonly id: string;
  readonly state: string;
  readonly version: string | null;
}

describe('changing a live alert over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let agencyId: string;
  let liaison: string;
  let verifier: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    agencyId = await makeAgency(api.app);
    liaison = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['liaison'] }));
    verifier = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['verifier'] }));
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const post = <Body = Record<string, unknown>>(cookie: string, path: string, json: unknown = undefined) =>
    call<Body>(api.url, 'POST', path, { cookie, json });

  /** A live alert with its photo up, that asked nobody. */
  const live = async () => {
    const source = api.app.get(DataSource);
    const [author, decider] = [
      await makeActor(source, agencyId, 'liaison'),
      await makeActor(source, agencyId, 'verifier'),
    ];
    const release = api.app.get(Release, { strict: false });
    const quiet = makeSubmission({ tier: 'page_only' });
    const caseId = await release.file(author, quiet);
    const photo = await api.app.get(CasePhotos, { strict: false }).add(author, caseId, await drawnPortrait());
    await release.rewrite(author, caseId, { ...quiet, alert: quiet.alert && { ...quiet.alert, photoId: photo.id } });
    await release.submit(author, caseId);
    const { found, photos } = await api.app.get(Cases, { strict: false }).read(decider, caseId);
    const proposed = await api.app.get(Alerts, { strict: false }).ofCase(caseId);
    const version = submissionVersion(found, photos, proposed?.alert ?? null, proposed?.message ?? null);
    const released = await release.verify(decider, caseId, version);
    if (!released) throw new Error('no alert');
    return { caseId, photoId: photo.id, ...released };
  };

  const changes = async (alertId: string): Promise<Change[]> => {
    const { body } = await call<{ changes: Change[] }>(api.url, 'GET', `/v1/alerts/${alertId}/changes`, {
      cookie: verifier,
    });
    return body.changes;
  };

  const alertOf = async (caseId: string) => {
    const { body } = await call<{ alert: unknown }>(api.url, 'GET', `/v1/cases/${caseId}`, { cookie: verifier });
    return body.alert;
  };

  it('holds by one and resumes by two', async () => {
    const { alertId, caseId } = await live();
    const path = `/v1/alerts/${alertId}`;
    expect((await post(liaison, `${path}/hold`, { reason: 'frozen' })).status).toBe(400);
    expect((await post(liaison, `${path}/hold`, { reason: 'danger' })).status).toBe(204);
    const proposal = await post<{ id: string }>(liaison, `${path}/changes`, { kind: 'resume' });
    expect(proposal.status).toBe(201);
    expect(await alertOf(caseId)).toMatchObject({ heldReason: 'danger', stoppedAt: null, changesPending: 1 });
    const [change] = await changes(alertId);
    const approve = (cookie: string, version: unknown) =>
      post(cookie, `${path}/changes/${proposal.body.id}/approve`, { version });
    expect(await approve(liaison, change?.version)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await approve(verifier, 'f'.repeat(64))).toMatchObject({ status: 409, body: { code: 'version_changed' } });
    expect(await approve(verifier, change?.version)).toMatchObject({ status: 200, body: { targeted: null } });
    expect(await alertOf(caseId)).toMatchObject({ heldAt: null, heldReason: null, changesPending: 0 });
    expect((await post(verifier, `${path}/stop`)).status).toBe(204);
    expect(await alertOf(caseId)).toMatchObject({ stoppedAt: expect.any(String) });
  });

  it('shows officers what the system holds by itself', async () => {
    const { alertId, caseId } = await live();
    await api.app.get(SystemHolds, { strict: false }).hold(alertId, 'restored');
    expect(await alertOf(caseId)).toMatchObject({ heldReason: 'restored' });
    const { body } = await call(api.url, 'GET', '/v1/reviews', { cookie: verifier });
    const review = { act: 'alert.hold', thing: `alert:${alertId}`, officerId: null, verdict: null };
    expect(body).toMatchObject({ reviews: expect.arrayContaining([expect.objectContaining(review)]) });
  });

  it('takes every kind of change, previews, withdraws and rejects', async () => {
    const { alertId, photoId } = await live();
    const path = `/v1/alerts/${alertId}/changes`;
    const { texts } = makeSubmission().alert ?? {};
    const center = { lon: 114.06, lat: 22.54, datum: 'wgs84' };
    const kinds = [
      { kind: 'area', area: { kind: 'circle', center, radiusM: 5_000 } },
      { kind: 'ring', radiusM: 200_000 },
      { kind: 'texts', texts },
      { kind: 'renew', hours: 72 },
      { kind: 'photo', photoId },
    ];
    const ids: string[] = [];
    for (const kind of kinds) ids.push((await post<{ id: string }>(liaison, path, kind)).body.id);
    expect((await post(liaison, path, { kind: 'renew', hours: 73 })).status).toBe(400);
    const seen = await changes(alertId);
    expect(seen.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    const preview = await call(api.url, 'GET', `${path}/${ids[1]}/preview`, { cookie: verifier });
    expect(preview).toMatchObject({ status: 200, body: { reached: null } });
    expect((await post(liaison, `${path}/${ids[0]}/withdraw`)).status).toBe(204);
    expect((await post(verifier, `${path}/${ids[1]}/reject`, { reason: 'Not yet.' })).status).toBe(204);
    const texting = seen.find(({ id }) => id === ids[2]);
    expect(await post(verifier, `${path}/${ids[2]}/approve`, { version: texting?.version })).toMatchObject({
      status: 200,
    });
    const after = await changes(alertId);
    expect(after.map(({ state }) => state).toSorted()).toEqual([
      'approved',
      'proposed',
      'proposed',
      'rejected',
      'withdrawn',
    ]);
    expect(after.find(({ state }) => state === 'rejected')).toMatchObject({ reason: 'Not yet.', version: null });
  });

  it('plans a ladder, shows it, ends it by one and plans another by two', async () => {
    const words = { 'zh-CN': '深圳', en: 'Shenzhen' };
    const { texts } = makeSubmission().alert ?? {};
    const lastSeen = {
      until: new Date(Date.now() - 5_400_000).toISOString(),
      point: { lon: 114.06, lat: 22.54, datum: 'wgs84' },
    };
    const answered = { consent: { given: 'guardian' }, custodyOrderChecked: true, publicity: 'safe' };
    const body = (ladder: unknown) => ({
      case: { lastSeen, ...answered },
      alert: { tier: 'critical', place: words, texts, exercise: true, ladder },
    });
    const file = (ladder: unknown) => post<{ id: string; code?: string }>(liaison, '/v1/cases', body(ladder));
    const ring = (radiusM: number, afterMinutes: number) => ({ radiusM, afterMinutes });
    expect((await file({ rings: Array.from({ length: 9 }, (_, i) => ring(130_000 + i, i + 1)) })).status).toBe(400);
    expect((await file({ rings: [ring(2_000_001, 5)] })).status).toBe(400);
    expect(await file({ rings: [ring(110_000, 5)] })).toMatchObject({
      status: 422,
      body: { code: 'ladder_not_growing' },
    });
    const usual = await file(undefined);
    const planned = (state: string) =>
      [ring(200_000, 60), ring(300_000, 120), ring(500_000, 180)].map((one) => ({ ...one, state }));
    expect(await alertOf(usual.body.id)).toMatchObject({
      ladder: { confirm: false, endedAt: null, nextDueAt: null, rings: planned('planned') },
    });
    const preview = await call(api.url, 'GET', `/v1/cases/${usual.body.id}/preview`, { cookie: liaison });
    expect(preview.body).toMatchObject({
      suggestedRadiusM: 200_000,
      rings: [ring(200_000, 60), { reached: null }, {}],
    });

    await post(liaison, `/v1/cases/${usual.body.id}/submit`);
    const read = await call<{ version: string; alert: { id: string } }>(api.url, 'GET', `/v1/cases/${usual.body.id}`, {
      cookie: verifier,
    });
    const { version, alert } = read.body;
    expect((await post(verifier, `/v1/cases/${usual.body.id}/verify`, { version })).status).toBe(200);
    expect(await alertOf(usual.body.id)).toMatchObject({ ladder: { nextDueAt: expect.any(String) } });
    const path = `/v1/alerts/${alert.id}`;
    expect((await post(liaison, `${path}/ladder/end`)).status).toBe(204);
    expect((await post(liaison, `${path}/ladder/end`)).status).toBe(204);
    expect(await alertOf(usual.body.id)).toMatchObject({
      ladder: { endedAt: expect.any(String), nextDueAt: null, rings: planned('dropped') },
    });
    const other = { confirm: true, rings: [ring(150_000, 30)] };
    const proposal = await post<{ id: string }>(liaison, `${path}/changes`, { kind: 'ladder', ladder: other });
    const [change] = await changes(alert.id);
    expect(change).toMatchObject({ id: proposal.body.id, content: { kind: 'ladder', ladder: other } });
    const approval = await post(verifier, `${path}/changes/${proposal.body.id}/approve`, { version: change?.version });
    expect(approval).toMatchObject({ status: 200, body: { targeted: null } });
    expect(await alertOf(usual.body.id)).toMatchObject({
      ladder: { confirm: true, endedAt: null, rings: [ring(150_000, 30)] },
    });
  });

  it('takes the photo down at once', async () => {
    const { alertId, slug } = await live();
    expect((await call(api.url, 'GET', `/v1/alerts/${slug}`)).body).toMatchObject({ hasPhoto: true });
    expect((await post(liaison, `/v1/alerts/${alertId}/photo-down`, { wrong: true })).status).toBe(204);
    const { body } = await call(api.url, 'GET', `/v1/alerts/${slug}`);
    expect(body).toMatchObject({ hasPhoto: false, state: 'live', message: { kind: 'update', version: 2 } });
  });

  it('freezes at once: the next request of a frozen officer is nobody’s', async () => {
    const admin = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['administrator'] }));
    const victim: TestOfficer = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    const cookie = await signIn(api.url, victim);
    expect((await call(api.url, 'GET', '/v1/session', { cookie })).status).toBe(200);
    expect((await post(admin, `/v1/officers/${victim.id}/freeze`)).status).toBe(204);
    expect((await call(api.url, 'GET', '/v1/session', { cookie })).status).toBe(401);
    await expect(signIn(api.url, victim)).rejects.toThrow('could not sign in');
    expect((await post(admin, `/v1/officers/${victim.id}/thaw`)).status).toBe(204);
    expect(await signIn(api.url, victim)).toContain('g72_session');
    const elsewhere = await makeAgency(api.app);
    expect(await post(admin, `/v1/agencies/${elsewhere}/freeze`)).toMatchObject({
      status: 404,
      body: { code: 'agency_not_found' },
    });
  });
});
