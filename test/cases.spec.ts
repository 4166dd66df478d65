import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AgencyKeys } from '#access';
import { caseAnswer } from '../apps/api/src/cases/cases.schemas.ts';
import { type Answer, call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

const HOUR = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();
const SHENZHEN = { lon: 114.06, lat: 22.54, datum: 'wgs84' };

const texts = {
  'zh-CN': { title: '寻找走失男孩', body: '六岁,红色书包。' },
  en: { title: 'Missing boy', body: 'Six years old, red school bag.' },
};

const submission = () => ({
  case: {
    type: 'lost',
    name: '测试小明',
    ageYears: 6,
    clothes: '红色书包',
    lastSeen: { from: ago(3), until: ago(2), place: '莲花山公园', point: SHENZHEN },
    consent: { given: 'guardian' },
    custodyOrderChecked: true,
    publicity: 'safe',
  },
  alert: { tier: 'critical', place: { 'zh-CN': '深圳莲花山', en: 'Lianhuashan, Shenzhen' }, texts },
});

describe('cases over HTTP', () => {
  let database: TestDatabase;
  let api: TestApi;
  let source: DataSource;
  let agencyId: string;
  let liaison: string;
  let verifier: string;
  let stranger: string;
  let agencyKey: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    source = api.app.get(DataSource);
    agencyId = await makeAgency(api.app);
    const officer = async (agency: string, ...roles: ('liaison' | 'verifier')[]) =>
      signIn(api.url, await makeOfficer(api.app, { agencyId: agency, roles }));
    liaison = await officer(agencyId, 'liaison');
    verifier = await officer(agencyId, 'liaison', 'verifier');
    stranger = await officer(await makeAgency(api.app), 'liaison', 'verifier');
    const keys = api.app.get(AgencyKeys, { strict: false });
    const made = await source.transaction((tx) => keys.create(tx, agencyId, 'dispatch centre'));
    agencyKey = `g72k_${made.secret.replace(/^g72k_/, '')}`;
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const as = <Body = Record<string, unknown>>(cookie: string, method: string, path: string, json?: unknown) =>
    call<Body>(api.url, method, path, json === undefined ? { cookie } : { cookie, json });

  const file = async (cookie = liaison, body: unknown = submission()) => {
    const filed = await as<{ id: string }>(cookie, 'POST', '/v1/cases', body);
    expect(filed.status).toBe(201);
    return filed.body.id;
  };

  const upload = (id: string, bytes: Buffer, name: string) => {
    const form = new FormData();
    form.set('photo', new Blob([new Uint8Array(bytes)]), name);
    return call(api.url, 'POST', `/v1/cases/${id}/photos`, { cookie: liaison, body: form });
  };

  /** The state of everything a refused request must leave alone. */
  const everything = async () => {
    const [row] = await source.query<[Record<string, number>]>(
      `SELECT (SELECT count(*) FROM cases) AS cases, (SELECT count(*) FROM alerts) AS alerts,
         (SELECT count(*) FROM case_photos) AS photos, (SELECT count(*) FROM waves) AS waves,
         (SELECT coalesce(max(updated_at)::text, '') FROM cases) AS updated`,
    );
    return row;
  };

  const refused = async (answer: Promise<Answer<Record<string, unknown>>>, status: number, code: string) => {
    const { status: given, body, headers } = await answer;
    expect([given, body['code']]).toEqual([status, code]);
    expect(headers.get('content-type')).toContain('application/problem+json');
  };

  it('goes from draft to live by two officers, and is closed with its alert', async () => {
    const id = await file();
    const photo = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#889' } })
      .png()
      .toBuffer();
    const added = await upload(id, photo, 'photo.png');
    expect(added.status).toBe(201);
    const whole = submission();
    const withPhoto = { ...whole, alert: { ...whole.alert, photoId: added.body['id'] } };
    expect((await as(liaison, 'PUT', `/v1/cases/${id}`, withPhoto)).status).toBe(204);
    expect((await as(liaison, 'POST', `/v1/cases/${id}/submit`)).status).toBe(204);
    const seen = await as<{ version: string; state: string; reference: string }>(verifier, 'GET', `/v1/cases/${id}`);
    expect(seen.body.state).toBe('submitted');
    expect(seen.body.reference).toMatch(/^G72-/);
    const live = await as<{ alertId: string; slug: string }>(verifier, 'POST', `/v1/cases/${id}/verify`, {
      version: seen.body.version,
    });
    expect(live.status).toBe(200);
    const shown = await call<Record<string, unknown>>(api.url, 'GET', `/v1/alerts/${live.body.slug}`);
    expect(shown.body['state']).toBe('live');
    expect(JSON.stringify(shown.body)).not.toContain('测试小明');
    const { lon, lat } = SHENZHEN;
    expect(shown.body).toMatchObject({
      area: { kind: 'circle', center: { lon: expect.closeTo(lon, 2), lat: expect.closeTo(lat, 2), datum: 'wgs84' } },
      place: whole.alert.place,
      callNumber: '110',
      hasPhoto: true,
    });
    const end = { kind: 'found', ending: 'safe', outcome: 'safe', cause: 'direct' };
    const path = `/v1/alerts/${live.body.alertId}/end`;
    await refused(as(liaison, 'POST', path, end), 422, 'family_not_told');
    const untrue = { ...end, familyTold: true, outcome: 'dead' };
    await refused(as(liaison, 'POST', path, untrue), 422, 'ending_untrue');
    await refused(as(liaison, 'POST', path, { ...end, kind: 'cancel', familyTold: true }), 422, 'ending_untrue');
    expect((await as(liaison, 'POST', path, { ...end, familyTold: true })).status).toBe(204);
    await refused(as(liaison, 'POST', path, { ...end, familyTold: true }), 410, 'alert_ended');
    const ended = await call<Record<string, unknown>>(api.url, 'GET', `/v1/alerts/${live.body.slug}`);
    expect(ended.body).toMatchObject({ state: 'ended', message: { kind: 'found' } });
    const { area, place, callNumber, instruction, hasPhoto } = ended.body;
    expect([area, place, callNumber, instruction, hasPhoto]).toEqual([null, null, null, null, null]);
    expect(JSON.stringify(ended.body)).not.toMatch(/莲花山|Lianhuashan|红色书包|114\.0/);
    const closed = await as(liaison, 'GET', `/v1/cases/${id}`);
    expect(closed.body).toMatchObject({ state: 'closed', outcome: 'safe', cause: 'direct' });
  });

  it('never lets the submitter verify, whatever roles they hold', async () => {
    const id = await file(verifier);
    await as(verifier, 'POST', `/v1/cases/${id}/submit`);
    const seen = await as(verifier, 'GET', `/v1/cases/${id}`);
    const decision = { version: seen.body['version'] };
    await refused(as(verifier, 'POST', `/v1/cases/${id}/verify`, decision), 403, 'verifier_is_author');
    await refused(as(liaison, 'POST', `/v1/cases/${id}/verify`, decision), 403, 'forbidden');
  });

  it('returns a case with a reason, and takes it again', async () => {
    const id = await file();
    await as(liaison, 'POST', `/v1/cases/${id}/submit`);
    await refused(as(liaison, 'PUT', `/v1/cases/${id}`, submission()), 409, 'case_not_editable');
    const reason = { reason: 'Which park?' };
    expect((await as(verifier, 'POST', `/v1/cases/${id}/return`, reason)).status).toBe(204);
    expect((await as(liaison, 'GET', `/v1/cases/${id}`)).body).toMatchObject({ decisionReason: 'Which park?' });
    expect((await as(liaison, 'PUT', `/v1/cases/${id}`, submission())).status).toBe(204);
    expect((await as(liaison, 'POST', `/v1/cases/${id}/submit`)).status).toBe(204);
    expect((await as(verifier, 'POST', `/v1/cases/${id}/reject`, reason)).status).toBe(204);
    await refused(as(liaison, 'POST', `/v1/cases/${id}/submit`), 409, 'case_transition_illegal');
  });

  it('takes a corridor along a road, shows it as it was given, and asks by it', async () => {
    const area = {
      kind: 'corridor',
      line: { type: 'LineString', coordinates: [[113.9, 22.5], [114.06, 22.54], [114.3, 22.7]] },
      withinM: 5_000,
    }; // prettier-ignore
    const body = { ...submission(), alert: { ...submission().alert, area } };
    const filed = await call<{ id: string }>(api.url, 'POST', '/v1/cases', { cookie: liaison, json: body });
    expect(filed.status).toBe(201);
    const path = `/v1/cases/${filed.body.id}`;
    expect((await as(liaison, 'GET', path)).body).toMatchObject({ alert: { area } });
    expect((await as(liaison, 'GET', `${path}/preview`)).status).toBe(200);
    expect((await as(liaison, 'POST', `${path}/submit`)).status).toBe(204);
    const { body: seen } = await as(verifier, 'GET', path);
    const live = await call(api.url, 'POST', `${path}/verify`, {
      cookie: verifier,
      json: { version: seen['version'] },
    });
    expect(live.status).toBe(200);
  });

  it('holds one database connection for one request, whatever the request does', async () => {
    const narrow = await startApi({ databaseUrl: database.url, DATABASE_POOL: '1' });
    try {
      const polygon = { type: 'Polygon', coordinates: [[[113.8, 22.4], [114.4, 22.4], [114.4, 22.8], [113.8, 22.8], [113.8, 22.4]]] }; // prettier-ignore
      const whole = submission();
      const body = { ...whole, alert: { ...whole.alert, area: { kind: 'polygon', polygon } } };
      const filed = await call<{ id: string }>(narrow.url, 'POST', '/v1/cases', { cookie: liaison, json: body });
      const path = `/v1/cases/${filed.body.id}`;
      expect((await call(narrow.url, 'POST', `${path}/submit`, { cookie: liaison })).status).toBe(204);
      expect((await call(narrow.url, 'GET', `${path}/preview`, { cookie: verifier })).status).toBe(200);
      const seen = await call(narrow.url, 'GET', path, { cookie: verifier });
      const json = { version: seen.body['version'] };
      const live = await call<{ alertId: string }>(narrow.url, 'POST', `${path}/verify`, { cookie: verifier, json });
      expect(live.status).toBe(200);
      const end = { kind: 'cancel', outcome: 'unfounded', cause: 'none' };
      const ended = await call(narrow.url, 'POST', `/v1/alerts/${live.body.alertId}/end`, {
        cookie: liaison,
        json: end,
      });
      expect(ended.status).toBe(204);
    } finally {
      await narrow.close();
    }
  });

  it('takes any field as unknown, and says what an alert still needs', async () => {
    const id = await file(liaison, { case: {}, alert: null });
    await refused(as(liaison, 'POST', `/v1/cases/${id}/submit`), 422, 'alert_missing');
  });

  it('shows exactly the fields that it documents', async () => {
    const id = await file();
    const shown = await as(liaison, 'GET', `/v1/cases/${id}`);
    expect(() => z.strictObject(caseAnswer.shape).parse(shown.body)).not.toThrow();
    expect(Object.keys(shown.body['alert'] as object).sort()).toEqual(
      Object.keys(caseAnswer.shape.alert.unwrap().shape).sort(),
    );
    expect(shown.body['alert']).toMatchObject({
      area: { center: { datum: 'wgs84' } },
      origin: { lon: expect.closeTo(SHENZHEN.lon, 1), lat: expect.closeTo(SHENZHEN.lat, 1), datum: 'wgs84' },
      texts,
    });
  });

  it('lists each case once, page by page, also those of one millisecond', async () => {
    const agency = await makeAgency(api.app);
    const cookie = await signIn(api.url, await makeOfficer(api.app, { agencyId: agency, roles: ['liaison'] }));
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) ids.push(await file(cookie));
    // Microseconds apart within one millisecond, and two at the same instant.
    await source.query(
      `UPDATE cases SET created_at = '2026-01-01T00:00:00.001Z'::timestamptz + (least(array_position($1, id), 6) || ' us')::interval
       WHERE id = ANY ($1)`,
      [ids],
    );
    const listed: string[] = [];
    let query = '?limit=2';
    for (let page = 0; page < 4; page += 1) {
      const { body } = await as<{ cases: { id: string }[]; next: string | null }>(cookie, 'GET', `/v1/cases${query}`);
      listed.push(...body.cases.map((each) => each.id));
      query = `?limit=2&before=${body.next}`;
    }
    expect(query).toBe('?limit=2&before=null');
    expect(listed.toSorted()).toEqual(ids.toSorted());
    expect(listed.slice(2)).toEqual(ids.slice(0, 5).toReversed());
    const foreign = await as<{ cases: unknown[] }>(stranger, 'GET', `/v1/cases?before=${ids[6]}`);
    expect(foreign.body.cases).toEqual([]);
  });

  it('hides a foreign agency’s case as if there were none', async () => {
    const id = await file();
    const none = '018f0000-0000-4000-8000-000000000000';
    const [foreign, absent] = [
      await as(stranger, 'GET', `/v1/cases/${id}`),
      await as(stranger, 'GET', `/v1/cases/${none}`),
    ];
    expect(foreign.status).toBe(404);
    expect({ ...foreign.body, instance: 0 }).toEqual({ ...absent.body, instance: 0 });
  });

  it('lists an agency’s cases to verifiers above it, and to nobody else beside it', async () => {
    const child = await makeAgency(api.app, { parentId: agencyId });
    const officer = async (agency: string, ...roles: ('liaison' | 'verifier')[]) =>
      signIn(api.url, await makeOfficer(api.app, { agencyId: agency, roles }));
    const below = await officer(child, 'liaison');
    const filed = await call(api.url, 'POST', '/v1/cases', { cookie: below, json: submission() });
    const list = (cookie: string, agency = child) =>
      call<{ cases: { id: string }[] }>(api.url, 'GET', `/v1/cases?agencyId=${agency}`, { cookie });
    expect((await list(verifier)).body.cases.map((each) => each.id)).toEqual([filed.body['id']]);
    const nowhere = '00000000-0000-4000-8000-000000000000';
    for (const [cookie, agency] of [[liaison], [stranger], [below, agencyId], [verifier, nowhere]] as const) {
      expect(await list(cookie, agency)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });

  describe('intake', () => {
    const post = (key: string, json: unknown, bearer = agencyKey) =>
      call<{ id: string }>(api.url, 'POST', '/v1/intake', { bearer, json, headers: { 'idempotency-key': key } });

    it('lands as submitted, once however often it is repeated, and is verified by a person', async () => {
      const body = submission();
      const [first, second] = await Promise.all([post('intake-0001', body), post('intake-0001', body)]);
      expect(first.status).toBe(201);
      expect(second.body.id).toBe(first.body.id);
      const seen = await as(verifier, 'GET', `/v1/cases/${first.body.id}`);
      expect(seen.body['state']).toBe('submitted');
      const live = await as(verifier, 'POST', `/v1/cases/${first.body.id}/verify`, { version: seen.body['version'] });
      expect(live.status).toBe(200);
    });

    it('refuses a key used for another request, and no key', async () => {
      await post('intake-0002', submission());
      const other = submission();
      other.case.ageYears = 9;
      const before = await everything();
      await refused(post('intake-0002', other), 409, 'idempotency_key_reused');
      await refused(call(api.url, 'POST', '/v1/intake', { bearer: agencyKey, json: other }), 400, 'invalid_request');
      await refused(post('intake-0003', other, 'g72k_wrong'), 401, 'agency_key_invalid');
      expect(await everything()).toEqual(before);
    });
  });

  describe('bad input changes nothing', () => {
    const withCase = (change: object) => ({ ...submission(), case: { ...submission().case, ...change } });
    const withArea = (area: object) => ({ ...submission(), alert: { ...submission().alert, area } });
    const bowtie = [[113, 22], [114, 23], [114, 22], [113, 23], [113, 22]]; // prettier-ignore
    const cases: [string, unknown, number, string][] = [
      ['an unknown field', withCase({ nickname: 'x' }), 400, 'invalid_request'],
      ['a latitude of 91', withCase({ lastSeen: { point: { ...SHENZHEN, lat: 91 } } }), 400, 'invalid_request'],
      ['no datum', withCase({ lastSeen: { point: { lon: 114, lat: 22 } } }), 400, 'invalid_request'],
      ['a future last-seen time', withCase({ lastSeen: { until: ago(-1) } }), 422, 'last_seen_in_future'],
      [
        'an inverted interval',
        withCase({ lastSeen: { from: ago(1), until: ago(2) } }),
        422,
        'last_seen_interval_inverted',
      ],
      ['a NUL byte', withCase({ name: 'a\0b' }), 400, 'invalid_request'],
      [
        'a polygon that crosses itself',
        withArea({ kind: 'polygon', polygon: { type: 'Polygon', coordinates: [bowtie] } }),
        422,
        'area_invalid',
      ],
      [
        'a corridor over the antimeridian, uncut',
        withArea({ kind: 'corridor', line: { type: 'LineString', coordinates: [[179.9, -17], [-179.9, -17]] }, withinM: 5_000 }),
        422,
        'area_invalid',
      ], // prettier-ignore
      ['a ring without end', withArea({ kind: 'circle', center: SHENZHEN, radiusM: 1e308 }), 400, 'invalid_request'],
    ];

    it.each(cases)('%s', async (_, body, status, code) => {
      const before = await everything();
      await refused(as(liaison, 'POST', '/v1/cases', body), status, code);
      expect(await everything()).toEqual(before);
    });

    it('numbers that are not finite', async () => {
      const body = JSON.stringify(submission()).replace('22.54', '1e999');
      const headers = { 'content-type': 'application/json' };
      await refused(call(api.url, 'POST', '/v1/cases', { cookie: liaison, headers, body }), 400, 'invalid_request');
    });

    it('a photo of 30 MB, a zip named .jpg, a file cut short', async () => {
      const id = await file();
      const before = await everything();
      await refused(upload(id, Buffer.alloc(30 * 1024 * 1024, 1), 'big.jpg'), 413, 'body_too_large');
      await refused(upload(id, Buffer.from('PK\x03\x04 not a picture at all'), 'zip.jpg'), 422, 'photo_not_an_image');
      const whole = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#123' } })
        .jpeg()
        .toBuffer();
      await refused(upload(id, whole.subarray(0, 700), 'cut.jpg'), 422, 'photo_not_an_image');
      expect(await everything()).toEqual(before);
    });

    it('a revoked session', async () => {
      const cookie = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['liaison'] }));
      await as(cookie, 'DELETE', '/v1/session');
      await refused(as(cookie, 'POST', '/v1/cases', submission()), 401, 'session_invalid');
    });
  });

  it('strips an uploaded photo of everything but the picture', async () => {
    const id = await file();
    const canary = 'CANARY-22.54-114.06';
    const tagged = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#456' } })
      .withExif({ IFD0: { ImageDescription: canary } })
      .jpeg()
      .toBuffer();
    expect(tagged.includes(canary)).toBe(true);
    const added = await upload(id, tagged, 'tagged.jpg');
    const kept = await fetch(`${api.url}/v1/cases/${id}/photos/${String(added.body['id'])}`, {
      headers: { cookie: liaison },
    });
    const bytes = Buffer.from(await kept.arrayBuffer());
    expect(bytes.includes(canary)).toBe(false);
    expect((await sharp(bytes).metadata()).exif).toBeUndefined();
  });
});
