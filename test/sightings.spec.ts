import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DataSource } from 'typeorm';
import { AuditVerification } from '#audit';
import { RecipientReferences } from '#dispatch';
import { SIGHTINGS_PAGE, TipLimiter, TIPS_PER_CROWD, TIPS_PER_WINDOW } from '#sightings';
import { SightingsApi } from '../apps/api/src/sightings/sightings.api.ts';
import { drawnPortrait, endAlert, type SeededAlert, seedAlert } from './harness/alert-rows.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { contended } from './harness/contended.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { openTips, seedTips } from './harness/sealed.ts';

type Role = 'liaison' | 'verifier' | 'analyst' | 'administrator';

interface View {
  readonly id: string;
  readonly words: string;
  readonly state: string;
  readonly dismissal: string | null;
}

interface Page {
  readonly sightings: View[];
  readonly next: string | null;
}

let database: TestDatabase;
let api: TestApi;
let db: DataSource;
let addresses = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, modules: [SightingsApi], TRUST_PROXY: '1' });
  db = api.app.get(DataSource);
});

afterAll(async () => {
  await api?.close();
  await database?.drop();
});

/** Each from an address of its own, unless one is given: the limit on tips is one address's. */
const freshAddress = () => `203.0.113.${(addresses += 1)}`;

const WORDS = { words: '在公交站看到一个穿黄色雨衣的孩子' };

function tip(slug: string, json: unknown, headers: Record<string, string> = {}) {
  return call(api.url, 'POST', `/v1/alerts/${slug}/sightings`, {
    json,
    headers: { 'x-forwarded-for': freshAddress(), ...headers },
  });
}

function tipWithPhoto(slug: string, sighting: string, photo: Buffer, name = 'photo.jpg') {
  const body = new FormData();
  body.set('sighting', sighting);
  body.set('photo', new Blob([new Uint8Array(photo)], { type: 'image/jpeg' }), name);
  return call(api.url, 'POST', `/v1/alerts/${slug}/sightings`, {
    body,
    headers: { 'x-forwarded-for': freshAddress() },
  });
}

const count = async (caseId: string) =>
  (await db.query<[{ n: number }]>('SELECT count(*) AS n FROM sightings WHERE case_id = $1', [caseId]))[0].n;

async function officerOf(agencyId: string, ...roles: Role[]): Promise<{ id: string; cookie: string }> {
  const officer = await makeOfficer(api.app, { agencyId, roles });
  return { id: officer.id, cookie: await signIn(api.url, officer) };
}

describe('a tip from the public', () => {
  it('is kept whole, and answered with its id and time alone', async () => {
    const { slug, caseId } = await seedAlert(db);
    const observedAt = new Date(Date.now() - 600_000).toISOString();
    const { status, body } = await tip(slug, {
      ...WORDS,
      place: { lon: 114.0661, lat: 22.5489, datum: 'gcj02' },
      placeWords: '莲花山公园东门',
      observedAt,
      contact: '13800000000',
    });
    expect(status).toBe(201);
    expect(body).toEqual({ id: expect.any(String), receivedAt: expect.any(String) });
    const [row] = await openTips(db, caseId);
    expect(row).toMatchObject({
      source: 'app',
      state: 'new',
      place: '莲花山公园东门',
      observed_at: new Date(observedAt),
      ...WORDS,
      contact: '13800000000',
      taken_by: null,
      case_id: caseId,
    });
    // GCJ-02 near Shenzhen lies some 0.005° east and 0.003° south of WGS-84.
    expect(row?.point?.[0]).toBeCloseTo(114.0611, 3);
    expect(row?.point?.[1]).toBeCloseTo(22.5515, 2);
  });

  it('takes a photo, re-encoded and without what it tells about the place', async () => {
    const { slug, caseId } = await seedAlert(db);
    const upload = await sharp(await drawnPortrait())
      .jpeg()
      .withExif({ IFD0: { Copyright: 'where-it-was-taken' } })
      .toBuffer();
    expect(upload.includes('where-it-was-taken')).toBe(true);
    const { status } = await tipWithPhoto(slug, JSON.stringify(WORDS), upload);
    expect(status).toBe(201);
    const [tip] = await openTips(db, caseId);
    expect((await sharp(tip?.photo ?? undefined).metadata()).format).toBe('jpeg');
    expect(tip?.photo?.includes('where-it-was-taken')).toBe(false);
  });

  it.each([
    ['no words', {}],
    ['empty words', { words: ' \n ' }],
    ['too many words', { words: 'x'.repeat(2001) }],
    ['a NUL', { words: 'a\0b' }],
    ['an unknown field', { ...WORDS, child: 'x' }],
    ['a place out of range', { ...WORDS, place: { lon: 181, lat: 0, datum: 'wgs84' } }],
    ['a place of no datum', { ...WORDS, place: { lon: 1, lat: 1 } }],
    ['a time without its offset', { ...WORDS, observedAt: '2026-01-01T00:00:00' }],
  ])('refuses %s and keeps nothing', async (_what, json) => {
    const { slug, caseId } = await seedAlert(db);
    const { status, body } = await tip(slug, json);
    expect([status, body['code']]).toEqual([400, 'invalid_request']);
    expect(await count(caseId)).toBe(0);
  });

  it('refuses a sighting in the future', async () => {
    const { slug, caseId } = await seedAlert(db);
    const observedAt = new Date(Date.now() + 3_600_000).toISOString();
    const { status, body } = await tip(slug, { ...WORDS, observedAt });
    expect([status, body['code']]).toEqual([422, 'observed_in_future']);
    expect(await count(caseId)).toBe(0);
  });

  it.each([
    ['ahead by a phone’s clock', () => new Date(Date.now() + 240_000).toISOString(), true],
    ['in the year 0', () => '0000-01-01T00:00:00Z', false],
    ['in the year 1', () => '0001-01-01T00:00:00+14:00', false],
  ])('takes one observed %s, no later than it is received', async (_what, observedAt, now) => {
    const { slug } = await seedAlert(db);
    const { status, body } = await tip(slug, { ...WORDS, observedAt: observedAt() });
    expect(status).toBe(201);
    const rows = await db.query<unknown[]>(
      'SELECT observed_at = received_at AS now, observed_at <= received_at AS past FROM sightings WHERE id = $1',
      [body['id']],
    );
    expect(rows).toEqual([{ now, past: true }]);
  });

  it('refuses a photo that is none, and one that is too large', async () => {
    const { slug, caseId } = await seedAlert(db);
    const zip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(5000)]);
    const none = await tipWithPhoto(slug, JSON.stringify(WORDS), zip);
    expect([none.status, none.body['code']]).toEqual([422, 'photo_not_an_image']);
    const large = await tipWithPhoto(slug, JSON.stringify(WORDS), Buffer.alloc(30 * 1024 * 1024));
    expect(large.status).toBe(413);
    const broken = await tipWithPhoto(slug, '{"words":', await drawnPortrait());
    expect([broken.status, broken.body['code']]).toEqual([400, 'invalid_request']);
    expect(await count(caseId)).toBe(0);
  });

  it('is not taken for an alert that is not there, or over', async () => {
    expect((await tip('no-such-alert', WORDS)).body['code']).toBe('alert_not_found');
    const alert = await seedAlert(db);
    await endAlert(db, alert);
    const { status, body } = await tip(alert.slug, WORDS);
    expect([status, body['code']]).toEqual([410, 'alert_ended']);
    expect(await count(alert.caseId)).toBe(0);
  });

  it('is taken once for one Idempotency-Key, also by requests at once', async () => {
    const { slug, caseId } = await seedAlert(db);
    const key = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(Array.from({ length: 6 }, () => tip(slug, WORDS, key)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(await count(caseId)).toBe(1);
    const other = await tip(slug, { words: 'something else' }, key);
    expect(other.body['code']).toBe('idempotency_key_reused');
    expect((await tip(slug, WORDS, { 'idempotency-key': 'x' })).status).toBe(400);
    expect(await count(caseId)).toBe(1);
  });

  it('comes from one address so often and no more; who was asked by a push is counted alone', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const crowd = { 'x-forwarded-for': freshAddress() };
    for (let n = 0; n < TIPS_PER_WINDOW; n += 1) expect((await tip(alert.slug, WORDS, crowd)).status).toBe(201);
    const refused = await tip(alert.slug, { ...WORDS, ref: 'A'.repeat(22) }, crowd);
    expect([refused.status, refused.body['code']]).toEqual([429, 'too_many_sightings']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const ref = api.app.get(RecipientReferences, { strict: false }).encode(alert.batchIds[0] ?? 0, 3);
    expect((await tip(alert.slug, { ...WORDS, ref }, crowd)).status).toBe(201);
    const other = await seedAlert(db, { batches: [10] });
    const references = api.app.get(RecipientReferences, { strict: false });
    for (const [batchId = 0, index] of [
      [other.batchIds[0], 3],
      [alert.batchIds[0], 10],
    ] as const) {
      const foreign = await tip(alert.slug, { ...WORDS, ref: references.encode(batchId, index) }, crowd);
      expect([foreign.status, foreign.body['code']]).toEqual([429, 'too_many_sightings']);
    }
  });

  it('comes from one address, asked or not, not without end', async () => {
    const alert = await seedAlert(db, { batches: [500] });
    const address = freshAddress();
    const limiter = api.app.get(TipLimiter, { strict: false });
    for (let index = 0; index < TIPS_PER_CROWD; index += 1) {
      await limiter.consume({ address, recipient: { batchId: alert.batchIds[0] ?? 0, index } });
    }
    const ref = api.app.get(RecipientReferences, { strict: false }).encode(alert.batchIds[0] ?? 0, 400);
    const { body } = await tip(alert.slug, { ...WORDS, ref }, { 'x-forwarded-for': address });
    expect(body['code']).toBe('too_many_sightings');
  });
});

describe('officers', () => {
  let alert: SeededAlert;
  let liaison: { id: string; cookie: string };

  beforeAll(async () => {
    const agencyId = await makeAgency(api.app);
    alert = await seedAlert(db, { agencyId });
    liaison = await officerOf(agencyId, 'liaison');
  });

  const list = (cookie: string, query = '') =>
    call<Page>(api.url, 'GET', `/v1/cases/${alert.caseId}/sightings${query}`, { cookie });
  const take = (cookie: string, json: unknown = WORDS) =>
    call(api.url, 'POST', `/v1/cases/${alert.caseId}/sightings`, { cookie, json });
  const triage = (cookie: string, id: unknown, json: unknown) =>
    call(api.url, 'POST', `/v1/sightings/${String(id)}/triage`, { cookie, json });

  it('take down what is told by phone', async () => {
    const { status, body } = await take(liaison.cookie, { ...WORDS, contact: 'a neighbour' });
    expect(status).toBe(201);
    const [row] = await db.query<Record<string, unknown>[]>('SELECT source, taken_by FROM sightings WHERE id = $1', [
      body['id'],
    ]);
    expect(row).toEqual({ source: 'phone', taken_by: liaison.id });
  });

  it('read them newest first, a page at a time, each once', async () => {
    const other = await seedAlert(db, { agencyId: alert.agencyId });
    const start = Date.now();
    const tips = Array.from({ length: SIGHTINGS_PAGE * 2 + 1 }, (_, n) => ({
      words: String(n + 1),
      receivedAt: new Date(start - Math.floor((n + 1) / 2) * 60_000),
    }));
    await seedTips(db, other.caseId, tips);
    const words: string[] = [];
    let query = '';
    for (let page = 0; page < 3; page += 1) {
      const { body } = await call<Page>(api.url, 'GET', `/v1/cases/${other.caseId}/sightings${query}`, {
        cookie: liaison.cookie,
      });
      words.push(...body.sightings.map((sighting) => sighting.words));
      query = `?before=${body.next}`;
    }
    expect(query).toBe('?before=null');
    expect(new Set(words).size).toBe(SIGHTINGS_PAGE * 2 + 1);
    expect(words.map((n) => Math.floor(Number(n) / 2))).toEqual(
      words.map((n) => Math.floor(Number(n) / 2)).toSorted((a, b) => a - b),
    );
  });

  it('see the photo', async () => {
    const { body } = await tipWithPhoto(alert.slug, JSON.stringify(WORDS), await drawnPortrait());
    const path = `/v1/cases/${alert.caseId}/sightings/${String(body['id'])}/photo`;
    const { status, headers } = await call(api.url, 'GET', path, { cookie: liaison.cookie });
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      200,
      'image/jpeg',
      'no-store',
    ]);
    const without = await take(liaison.cookie);
    const missing = await call(api.url, 'GET', path.replace(String(body['id']), String(without.body['id'])), {
      cookie: liaison.cookie,
    });
    expect(missing.body['code']).toBe('sighting_not_found');
  });

  it('triage, and mend a mistaken dismissal', async () => {
    const { body } = await take(liaison.cookie);
    const act = async (json: unknown) => {
      const { status, body: problem } = await triage(liaison.cookie, body['id'], json);
      return status === 204 ? 204 : problem['code'];
    };
    const state = async () => (await list(liaison.cookie)).body.sightings.find(({ id }) => id === body['id']);
    expect(await act({ to: 'dismissed' })).toBe('invalid_request');
    expect(await act({ to: 'new' })).toBe('invalid_request');
    expect(await act({ to: 'dismissed', dismissal: 'hoax' })).toBe(204);
    expect(await state()).toMatchObject({ state: 'dismissed', dismissal: 'hoax' });
    expect(await act({ to: 'confirmed' })).toBe('sighting_transition_refused');
    expect(await act({ to: 'following' })).toBe(204);
    expect(await state()).toMatchObject({ state: 'following', dismissal: null });
    expect(await act({ to: 'confirmed' })).toBe(204);
    expect(await act({ to: 'following' })).toBe('sighting_transition_refused');
  });

  it('settle two judgements at once one way', async () => {
    const { body } = await take(liaison.cookie);
    const lock = 'SELECT 1 FROM sightings WHERE id = $1 FOR UPDATE';
    const answers = await contended(db, lock, body['id'], 2, () =>
      Promise.all([
        triage(liaison.cookie, body['id'], { to: 'confirmed' }),
        triage(liaison.cookie, body['id'], { to: 'dismissed', dismissal: 'hoax' }),
      ]),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
  });

  it.each([['analyst'], ['administrator']] as const)('an %s has no part in them', async (role) => {
    const { cookie } = await officerOf(alert.agencyId, role);
    const { body } = await take(liaison.cookie);
    const answers = [
      await list(cookie),
      await take(cookie),
      await triage(cookie, body['id'], { to: 'following' }),
      await call(api.url, 'GET', `/v1/cases/${alert.caseId}/sightings/${String(body['id'])}/photo`, { cookie }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  });

  it('of another agency find nothing, as if there were nothing', async () => {
    const { cookie } = await officerOf(await makeAgency(api.app), 'liaison', 'verifier');
    const { body } = await take(liaison.cookie);
    const before = await count(alert.caseId);
    const foreign = [
      await list(cookie),
      await take(cookie),
      await triage(cookie, body['id'], { to: 'following' }),
      await call(api.url, 'GET', `/v1/cases/${alert.caseId}/sightings/${String(body['id'])}/photo`, { cookie }),
    ];
    const absent = [
      await call(api.url, 'GET', `/v1/cases/${randomUUID()}/sightings`, { cookie }),
      await call(api.url, 'POST', `/v1/cases/${randomUUID()}/sightings`, { cookie, json: WORDS }),
      await triage(cookie, randomUUID(), { to: 'following' }),
      await call(api.url, 'GET', `/v1/cases/${randomUUID()}/sightings/${randomUUID()}/photo`, { cookie }),
    ];
    const told = (answers: { status: number; body: unknown }[]) =>
      answers.map(({ status, body: problem }) => ({ status, ...(problem as object), instance: null }));
    expect(foreign.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(told(foreign)).toEqual(told(absent));
    expect(await count(alert.caseId)).toBe(before);
  });

  it('are recorded in the audit, by references alone', async () => {
    const entries = await db.query<{ action: string; thing: string; detail: object }[]>(
      'SELECT action, thing, detail FROM audit_entries WHERE agency_id = $1 AND actor = $2',
      [alert.agencyId, `officer:${liaison.id}`],
    );
    const actions = new Set(entries.map(({ action }) => action));
    for (const action of ['sighting.take', 'sighting.read', 'sighting.triage']) expect(actions).toContain(action);
    expect(JSON.stringify(entries)).not.toContain(WORDS.words);
    expect(JSON.stringify(entries)).not.toContain('neighbour');
    expect(await api.app.get(AuditVerification, { strict: false }).faultOf(alert.agencyId)).toBeNull();
  });
});
