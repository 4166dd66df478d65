import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { AgencyKeys } from '#access';
import { type Answer, call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

const ANSWERS = { consent: { given: 'guardian' }, custodyOrderChecked: true, publicity: 'safe' };

const ALERT = {
  tier: 'critical',
  place: { 'zh-CN': '深圳莲花山', en: 'Lianhuashan, Shenzhen' },
  texts: { 'zh-CN': { title: '寻找走失男孩', body: '六岁。' }, en: { title: 'Missing boy', body: 'Six years old.' } },
};

const submission = (answers: object = ANSWERS, alert: object | null = ALERT) => ({
  case: {
    name: '测试小明',
    lastSeen: { until: ago(2), point: { lon: 114.06, lat: 22.54, datum: 'wgs84' } },
    ...answers,
  },
  alert,
});

describe('consent and the harm check', () => {
  let database: TestDatabase;
  let api: TestApi;
  let liaison: string;
  let verifier: string;
  let bearer: string;
  let posts = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    const agencyId = await makeAgency(api.app);
    liaison = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['liaison'] }));
    verifier = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['verifier'] }));
    const keys = api.app.get(AgencyKeys, { strict: false });
    const { secret } = await api.app.get(DataSource).transaction((tx) => keys.create(tx, agencyId, 'dispatch centre'));
    bearer = `g72k_${secret.replace(/^g72k_/, '')}`;
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const as = <Body = Record<string, unknown>>(cookie: string, method: string, path: string, json?: unknown) =>
    call<Body>(api.url, method, path, json === undefined ? { cookie } : { cookie, json });

  const file = async (body: unknown) => (await as<{ id: string }>(liaison, 'POST', '/v1/cases', body)).body.id;

  const submitted = async (body: unknown) => {
    const id = await file(body);
    expect((await as(liaison, 'POST', `/v1/cases/${id}/submit`)).status).toBe(204);
    return id;
  };

  const verify = async (id: string, version?: unknown) => {
    const seen = version ?? (await as(verifier, 'GET', `/v1/cases/${id}`)).body['version'];
    return as(verifier, 'POST', `/v1/cases/${id}/verify`, { version: seen });
  };

  const post = (body: unknown) =>
    call(api.url, 'POST', '/v1/intake', { bearer, json: body, headers: { 'idempotency-key': `consent-${posts++}` } });

  const waves = async (alertId: unknown) => {
    const query = 'SELECT count(*) AS n FROM waves WHERE alert_id = $1';
    return (await api.app.get(DataSource).query<[{ n: number }]>(query, [alertId]))[0].n;
  };

  const outcome = ({ status, body }: Answer<Record<string, unknown>>) => [status, body['code']];

  const unfit: [string, unknown, string][] = [
    ['nobody has said who consents', submission({ ...ANSWERS, consent: null }), 'consent_missing'],
    ['there is no consent, and no reason', submission({ ...ANSWERS, consent: { given: 'none' } }), 'consent_missing'],
    ['custody is left open', submission({ ...ANSWERS, custodyOrderChecked: null }), 'custody_unchecked'],
    ['custody was not checked', submission({ ...ANSWERS, custodyOrderChecked: false }), 'custody_unchecked'],
    ['the danger is left open', submission({ ...ANSWERS, publicity: null }), 'publicity_unanswered'],
    ['it may only be on the page', submission({ ...ANSWERS, publicity: 'page_only' }), 'publicity_endangers'],
    ['nothing may be told', submission({ ...ANSWERS, publicity: 'none' }), 'publicity_endangers'],
    ['something may be told and is not', submission(ANSWERS, null), 'alert_missing'],
  ];

  it.each(unfit)('keeps a draft, and refuses to take it as submitted, when %s', async (_when, body, code) => {
    const id = await file(body);
    expect(outcome(await as(liaison, 'POST', `/v1/cases/${id}/submit`))).toEqual([422, code]);
    expect((await as(liaison, 'GET', `/v1/cases/${id}`)).body['state']).toBe('draft');
    expect(outcome(await post(body))).toEqual([422, code]);
  });

  it('shows the verifier what was answered', async () => {
    const consent = { given: 'none', reason: 'The mother cannot be reached.' };
    const id = await submitted(submission({ consent, custodyOrderChecked: true, publicity: 'safe' }));
    const { body } = await as(verifier, 'GET', `/v1/cases/${id}`);
    expect(body).toMatchObject({ consent, custodyOrderChecked: true, publicity: 'safe' });
    expect((await verify(id)).status).toBe(200);
  });

  it('lets an alert on the page alone go out where waking phones could endanger', async () => {
    const id = await submitted(submission({ ...ANSWERS, publicity: 'page_only' }, { ...ALERT, tier: 'page_only' }));
    const { status, body } = await verify(id);
    expect([status, body['slug']]).toEqual([200, expect.any(String)]);
    expect(await waves(body['alertId'])).toBe(0);
  });

  it('verifies exactly the answers that were read', async () => {
    const written = submission();
    const id = await submitted(written);
    const { body } = await as(verifier, 'GET', `/v1/cases/${id}`);
    await as(verifier, 'POST', `/v1/cases/${id}/return`, { reason: 'Who said so?' });
    // Nothing else is another, not even an instant.
    const changed = { ...written, case: { ...written.case, consent: { given: 'none', reason: 'x' } } };
    expect((await as(liaison, 'PUT', `/v1/cases/${id}`, changed)).status).toBe(204);
    expect((await as(liaison, 'POST', `/v1/cases/${id}/submit`)).status).toBe(204);
    expect(outcome(await verify(id, body['version']))).toEqual([409, 'version_changed']);
    expect((await verify(id)).status).toBe(200);
  });

  describe('a case about which the public may be told nothing', () => {
    const secret = () => submission({ ...ANSWERS, publicity: 'none' }, null);

    it('is verified and closed without any alert', async () => {
      const id = await submitted(secret());
      expect(outcome(await as(verifier, 'GET', `/v1/cases/${id}/preview`))).toEqual([422, 'alert_missing']);
      const { status, body } = await verify(id);
      expect(status).toBe(200);
      expect(body).toMatchObject({ alertId: null, slug: null });
      const active = await as(liaison, 'GET', `/v1/cases/${id}`);
      expect(active.body).toMatchObject({ state: 'active', alert: null, keptUntil: null });
      const [{ alerts }] = await api.app
        .get(DataSource)
        .query<[{ alerts: number }]>('SELECT count(*) AS alerts FROM alert_cases WHERE case_id = $1', [id]);
      expect(alerts).toBe(0);
      const closing = { outcome: 'safe', cause: 'none' };
      expect((await as(liaison, 'POST', `/v1/cases/${id}/close`, closing)).status).toBe(204);
    });

    it('is rejected like any other', async () => {
      const id = await submitted(secret());
      expect((await as(verifier, 'POST', `/v1/cases/${id}/reject`, { reason: 'A game.' })).status).toBe(204);
    });

    it('comes from another police system, too', async () => {
      const { status, body } = await post(secret());
      expect(status).toBe(201);
      expect((await verify(String(body['id']))).status).toBe(200);
    });
  });
});
