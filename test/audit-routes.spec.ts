import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { AuditVerification } from '#audit';
import { drawnPortrait } from './harness/alert-rows.ts';
import { type Answer, call, type CallOptions, makeAgency, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { type Colleague, hire } from './harness/staff.ts';

/** Routes for officers that touch no case: what they change is audited too, as test/authority.spec.ts shows. */
const NO_CASE: readonly RegExp[] = [
  /^(GET|DELETE) \/v1\/session$/,
  /^POST \/v1\/session\/step-up$/,
  /^(GET|DELETE) \/v1\/sessions/,
  /^(GET|POST) \/v1\/oidc\//,
  /^PUT \/v1\/password$/,
  /^(POST|DELETE) \/v1\/second-factor/,
  /^(GET|POST|PUT|DELETE) \/v1\/(officers|grants|agencies)/,
];

interface Entry {
  readonly actor: string;
  readonly action: string;
  readonly thing: string;
  readonly origin: string | null;
  readonly why: string;
}

/** Polygons beside the agency's own, which a circle of 120 km reaches. */
const box = (west: number, south: number) => ({
  type: 'Polygon' as const,
  coordinates: [
    [
      [west, south],
      [west + 2, south],
      [west + 2, south + 2],
      [west, south + 2],
      [west, south],
    ],
  ],
});

describe('every route on which officers meet a case', () => {
  let database: TestDatabase;
  let api: TestApi;
  let db: DataSource;
  let agencyId: string;
  let liaison: Colleague;
  let verifier: Colleague;
  let second: Colleague;
  let analyst: Colleague;
  const covered = new Map<string, Entry[]>();

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    db = api.app.get(DataSource);
    agencyId = await makeAgency(api.app);
    liaison = await hire(api, agencyId, 'liaison');
    verifier = await hire(api, agencyId, 'verifier');
    second = await hire(api, agencyId, 'verifier');
    analyst = await hire(api, agencyId, 'analyst');
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const length = async () => {
    const [{ n }] = await db.query<[{ n: number }]>('SELECT count(*)::int AS n FROM audit_entries');
    return n;
  };

  /** Calls `METHOD /v1/route/{id}` with its ids, and keeps what the audit then holds more. */
  async function meet<Body = Record<string, unknown>>(
    who: Colleague,
    route: string,
    ids: readonly string[] = [],
    options: CallOptions = {},
  ): Promise<Answer<Body>> {
    const before = await length();
    const [method = '', template = ''] = route.split(' ');
    const rest = [...ids];
    const path = template.replaceAll(/\{\w+\}/g, () => rest.shift() ?? '');
    const answer = await call<Body>(api.url, method, path, { ...options, cookie: who.cookie });
    if (answer.status >= 400) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
    const entries = await db.query<(Entry & { n: number })[]>(
      `SELECT actor, action, thing, origin, why FROM audit_entries ORDER BY at DESC LIMIT $1`,
      [(await length()) - before],
    );
    covered.set(route, entries);
    for (const entry of entries) {
      if (!entry.actor.startsWith('officer:')) continue;
      expect([route, entry.actor, entry.origin]).toEqual([
        route,
        `officer:${who.id}`,
        expect.stringMatching(/^network:[\w-]{16},session:[\da-f-]{36}$/),
      ]);
    }
    return answer;
  }

  const submission = (more: Record<string, unknown> = {}) => ({
    case: {
      type: 'lost',
      name: '测试小雨',
      lastSeen: {
        until: new Date(Date.now() - 3_600_000).toISOString(),
        point: { lon: 114.06, lat: 22.54, datum: 'wgs84' },
      },
      consent: { given: 'guardian' },
      custodyOrderChecked: true,
      publicity: 'safe',
    },
    alert: {
      tier: 'critical',
      place: { 'zh-CN': '深圳', en: 'Shenzhen' },
      texts: { 'zh-CN': { title: '寻找', body: '黄色雨衣' }, en: { title: 'Missing', body: 'Yellow raincoat' } },
      ...more,
    },
  });

  const file = async (json: unknown) => (await meet<{ id: string }>(liaison, 'POST /v1/cases', [], { json })).body.id;

  const versionOf = async (id: string) =>
    (await meet<{ version: string }>(verifier, 'GET /v1/cases/{id}', [id])).body.version;

  const picture = async () => {
    const form = new FormData();
    form.set('photo', new Blob([new Uint8Array(await drawnPortrait())], { type: 'image/png' }), 'photo.png');
    return form;
  };

  /** From the first words to the release. */
  async function release(): Promise<{ caseId: string; alertId: string; slug: string }> {
    const caseId = await file(submission());
    const photo = await meet<{ id: string }>(liaison, 'POST /v1/cases/{id}/photos', [caseId], {
      body: await picture(),
    });
    await meet(liaison, 'GET /v1/cases/{id}/photos/{photoId}', [caseId, photo.body.id]);
    await meet(liaison, 'PUT /v1/cases/{id}', [caseId], { json: submission({ photoId: photo.body.id }) });
    await meet(liaison, 'GET /v1/cases/{id}/preview', [caseId]);
    await meet(liaison, 'POST /v1/cases/{id}/submit', [caseId]);
    await meet(verifier, 'POST /v1/cases/{id}/return', [caseId], { json: { reason: 'the coat' } });
    await meet(liaison, 'POST /v1/cases/{id}/submit', [caseId]);
    const json = { version: await versionOf(caseId) };
    const { body } = await meet<{ alertId: string; slug: string }>(verifier, 'POST /v1/cases/{id}/verify', [caseId], {
      json,
    });
    return { caseId, ...body };
  }

  async function change(alertId: string): Promise<void> {
    const propose = async (json: unknown) =>
      (await meet<{ id: string }>(liaison, 'POST /v1/alerts/{id}/changes', [alertId], { json })).body.id;
    const ring = await propose({ kind: 'ring', radiusM: 200_000 });
    await meet(liaison, 'GET /v1/alerts/{id}/changes/{changeId}/preview', [alertId, ring]);
    await meet(liaison, 'POST /v1/alerts/{id}/changes/{changeId}/withdraw', [alertId, ring]);
    const longer = await propose({ kind: 'renew', hours: 48 });
    await meet(second, 'POST /v1/alerts/{id}/changes/{changeId}/reject', [alertId, longer], {
      json: { reason: 'too long' },
    });
    const renewed = await propose({ kind: 'renew', hours: 36 });
    type Changes = { changes: { id: string; version: string }[] };
    const { changes } = (await meet<Changes>(second, 'GET /v1/alerts/{id}/changes', [alertId])).body;
    const version = changes.find(({ id }) => id === renewed)?.version;
    await meet(second, 'POST /v1/alerts/{id}/changes/{changeId}/approve', [alertId, renewed], { json: { version } });
  }

  async function tips(caseId: string, slug: string): Promise<void> {
    const json = { words: 'a yellow coat' };
    const taken = await meet<{ id: string }>(liaison, 'POST /v1/cases/{id}/sightings', [caseId], { json });
    const form = await picture();
    form.set('sighting', JSON.stringify(json));
    const sent = await call(api.url, 'POST', `/v1/alerts/${slug}/sightings`, { body: form });
    expect(sent.status).toBe(201);
    await meet(verifier, 'GET /v1/cases/{id}/sightings', [caseId]);
    await meet(verifier, 'GET /v1/cases/{id}/sightings/{sightingId}/photo', [caseId, String(sent.body['id'])]);
    await meet(verifier, 'POST /v1/sightings/{id}/triage', [taken.body.id], { json: { to: 'following' } });
  }

  /** What two neighbours say to an alert that crosses into their land. */
  async function neighbours(east: Colleague, north: Colleague): Promise<void> {
    type Asks = { asks: { id: string; version: string }[] };
    const asked = async (who: Colleague) =>
      (await meet<Asks>(who, 'GET /v1/asks')).body.asks[0] ?? { id: '', version: '' };
    const first = await asked(east);
    await meet(east, 'POST /v1/asks/{id}/agree', [first.id], { json: { version: first.version } });
    const other = await asked(north);
    await meet(north, 'POST /v1/asks/{id}/refuse', [other.id], { json: { reason: 'other' } });
  }

  it('records who, from where and why in the chain, route by route', async () => {
    const east = await hire(api, await makeAgency(api.app, { jurisdiction: box(115, 21.5) }), 'verifier');
    const north = await hire(api, await makeAgency(api.app, { jurisdiction: box(113, 23.5) }), 'verifier');
    const { caseId, alertId, slug } = await release();
    await meet(liaison, 'GET /v1/cases');
    await neighbours(east, north);
    await tips(caseId, slug);
    await change(alertId);
    await meet(analyst, 'GET /v1/cases/{id}/funnel', [caseId]);
    await meet(liaison, 'POST /v1/alerts/{id}/hold', [alertId], { json: { reason: 'other' } });
    await meet(liaison, 'POST /v1/alerts/{id}/ladder/end', [alertId]);
    await meet(liaison, 'POST /v1/alerts/{id}/stop', [alertId]);
    await meet(liaison, 'POST /v1/alerts/{id}/photo-down', [alertId], { json: { wrong: false } });
    const { reviews } = (await meet<{ reviews: { id: string; officerId: string }[] }>(second, 'GET /v1/reviews')).body;
    const done = reviews.find(({ officerId }) => officerId === liaison.id);
    await meet(second, 'POST /v1/reviews/{id}', [done?.id ?? ''], { json: { verdict: 'upheld' } });
    const outcome = { outcome: 'safe', cause: 'direct' };
    await meet(liaison, 'POST /v1/alerts/{id}/end', [alertId], { json: { kind: 'found', ...outcome } });

    const unpublished = { ...submission().case, publicity: 'none' };
    const quiet = await file({ case: unpublished, alert: null });
    await meet(liaison, 'POST /v1/cases/{id}/submit', [quiet]);
    await meet(verifier, 'POST /v1/cases/{id}/verify', [quiet], { json: { version: await versionOf(quiet) } });
    await meet(liaison, 'POST /v1/cases/{id}/close', [quiet], { json: outcome });

    const refused = await file(submission());
    await meet(liaison, 'POST /v1/cases/{id}/submit', [refused]);
    await meet(second, 'POST /v1/cases/{id}/conflicts', [refused], { json: {} });
    await meet(verifier, 'POST /v1/cases/{id}/reject', [refused], { json: { reason: 'no case' } });

    await meet(verifier, 'GET /v1/audit');
    await meet(verifier, 'GET /v1/retention');

    const without = [...covered].filter(([, entries]) => entries.length === 0).map(([route]) => route);
    expect(without).toEqual([]);
    expect((await api.app.get(AuditVerification, { strict: false }).verify()).faults).toEqual([]);
  });

  it('is one of those above', async () => {
    type Document = { paths: Record<string, Record<string, { security?: Record<string, unknown>[] }>> };
    const { paths } = (await call<Document>(api.url, 'GET', '/openapi.json')).body;
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { security }]) => security?.some((scheme) => 'session' in scheme))
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes.length).toBeGreaterThan(30);
    const forgotten = routes.filter((route) => !covered.has(route) && !NO_CASE.some((apart) => apart.test(route)));
    expect(forgotten).toEqual([]);
  });

  describe('says why', () => {
    const whyOf = async (id: string, who: Colleague) => {
      const rows = await db.query<{ why: string }[]>(
        `SELECT why FROM audit_entries WHERE thing = $1 AND actor = $2 ORDER BY seq DESC LIMIT 1`,
        [`case:${id}`, `officer:${who.id}`],
      );
      return rows[0]?.why;
    };
    const read = (id: string, who: Colleague, reason?: string) =>
      call(api.url, 'GET', `/v1/cases/${id}`, {
        cookie: who.cookie,
        headers: reason === undefined ? {} : { 'read-reason': reason },
      });
    const listed = async (id: string, who: Colleague) => {
      const [{ n }] = await db.query<[{ n: number }]>(
        'SELECT count(*)::int AS n FROM reviews WHERE thing = $1 AND officer_id = $2',
        [`case:${id}`, who.id],
      );
      return n;
    };

    it('by what ties the officer to the case, or what they state; a stranger’s silence is listed once, and blocks nobody', async () => {
      const id = (await call(api.url, 'POST', '/v1/cases', { cookie: liaison.cookie, json: submission() })).body[
        'id'
      ] as string;
      const stranger = await hire(api, agencyId, 'liaison');
      expect((await read(id, liaison)).status).toBe(200);
      expect(await whyOf(id, liaison)).toBe('author');
      expect((await read(id, stranger, 'handover')).status).toBe(200);
      expect([await whyOf(id, stranger), await listed(id, stranger)]).toEqual(['handover', 0]);
      for (const reason of [undefined, 'curiosity', 'x'.repeat(2000)]) {
        expect((await read(id, stranger, reason)).status).toBe(200);
        expect([await whyOf(id, stranger), await listed(id, stranger)]).toEqual(['unstated', 1]);
      }
      await call(api.url, 'GET', `/v1/cases/${id}/sightings`, { cookie: stranger.cookie });
      expect(await listed(id, stranger)).toBe(1);
      await call(api.url, 'POST', `/v1/cases/${id}/submit`, { cookie: liaison.cookie });
      await read(id, verifier);
      expect([await whyOf(id, verifier), await listed(id, verifier)]).toEqual(['decision', 0]);
    });
  });

  it('shows the trail to verifiers of the agency alone, page by page, filtered', async () => {
    interface Trail {
      readonly entries: { readonly seq: number; readonly thing: string }[];
      readonly next: number | null;
    }
    const trail = (who: Colleague, query = '') =>
      call<Trail>(api.url, 'GET', `/v1/audit${query}`, { cookie: who.cookie });
    const first = (await trail(verifier, '?limit=2')).body;
    const older = (await trail(verifier, `?limit=2&before=${first.next}`)).body;
    expect([...first.entries, ...older.entries].map(({ seq }, i) => seq + i)).toEqual(
      Array(4).fill(first.entries[0]?.seq),
    );
    const thing = `officer:${liaison.id}`;
    const own = (await trail(verifier, `?thing=${thing}`)).body;
    expect(own.entries.length).toBeGreaterThan(0);
    expect(own.entries.every((entry) => entry.thing === thing)).toBe(true);
    expect((await trail(liaison)).status).toBe(403);
    const foreign = await hire(api, await makeAgency(api.app), 'verifier');
    expect((await trail(foreign, `?agencyId=${agencyId}`)).status).toBe(404);
    expect((await trail(verifier, '?thing=a%20b')).status).toBe(400);
    const above = await makeAgency(api.app);
    await db.query('UPDATE agencies SET parent_id = $1 WHERE id = $2', [above, agencyId]);
    const parent = await hire(api, above, 'verifier');
    expect((await trail(parent, `?agencyId=${agencyId}`)).body.entries.length).toBeGreaterThan(10);
    expect(JSON.stringify(first)).not.toContain('测试小雨');
  });
});
