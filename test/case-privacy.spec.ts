import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DataSource } from 'typeorm';
import { CaseKeys, Cases } from '#cases';
import { Sightings } from '#sightings';
import {
  type Answer,
  call,
  makeAgency,
  makeOfficer,
  signIn,
  startApi,
  type TestApi,
  uploadPhoto,
} from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { dumpOf, filesHolding, isIn } from './harness/residue.ts';

type Role = 'liaison' | 'verifier' | 'analyst';

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

let database: TestDatabase;
let api: TestApi;
let db: DataSource;
let agencyId: string;
let liaison: string;
let verifier: string;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url });
  db = api.app.get(DataSource);
  agencyId = await makeAgency(api.app);
  liaison = await officer(agencyId, 'liaison');
  verifier = await officer(agencyId, 'verifier');
}, 60_000);

afterAll(async () => {
  await api?.close();
  await database?.drop();
});

const officer = async (agency: string, ...roles: Role[]) =>
  signIn(api.url, await makeOfficer(api.app, { agencyId: agency, roles }));

const as = <Body = Record<string, unknown>>(cookie: string, method: string, path: string, json?: unknown) =>
  call<Body>(api.url, method, path, json === undefined ? { cookie } : { cookie, json });

const codeOf = ({ status, body }: Answer<Record<string, unknown>>) => [status, body['code']];

/** What no two runs share, so that one search over all files of the server finds this run's alone. */
const mark = randomBytes(6).toString('hex');
const secret = (field: string) => `private-${mark} ${field}`;
const told = (field: string) => `public-${mark} ${field}`;

/** Everything private of a case says that it is. */
const submission = (photoId: string | null = null) => ({
  case: {
    type: 'runaway',
    name: secret('name'),
    ageYears: 6,
    sex: 'male',
    looks: secret('looks'),
    clothes: secret('clothes'),
    needs: secret('needs'),
    circumstances: secret('circumstances'),
    lastSeen: { from: ago(3), until: ago(2), place: secret('place'), point: { lon: 114.0612345, lat: 22.5412345, datum: 'wgs84' } }, // prettier-ignore
    consent: { given: 'none', reason: secret('consent') },
    custodyOrderChecked: true,
    publicity: 'safe',
  },
  alert: {
    tier: 'critical',
    photoId,
    place: { 'zh-CN': '深圳', en: told('place') },
    texts: { 'zh-CN': { title: '寻人', body: '六岁。' }, en: { title: 'Missing', body: told('body') } },
  },
});

/** A picture of noise, which no encoder makes small or alike. */
const noise = () =>
  sharp(randomBytes(300 * 200 * 3), { raw: { width: 300, height: 200, channels: 3 } })
    .png()
    .toBuffer();

async function bytesAt(path: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(new URL(path, api.url), { headers: { cookie: liaison } })).arrayBuffer());
}

const file = async (body: unknown = submission(), cookie = liaison) =>
  (await as<{ id: string }>(cookie, 'POST', '/v1/cases', body)).body.id;

/** Who files, and who verifies. */
type Staff = readonly [string, string];

/** Files, submits and verifies. @returns the case and its alert */
async function release(photoId: string | null = null, id?: string, [by, and]: Staff = [liaison, verifier]) {
  const caseId = id ?? (await file(submission(photoId), by));
  if (id) expect((await as(by, 'PUT', `/v1/cases/${id}`, submission(photoId))).status).toBe(204);
  expect((await as(by, 'POST', `/v1/cases/${caseId}/submit`)).status).toBe(204);
  const { body } = await as(and, 'GET', `/v1/cases/${caseId}`);
  const path = `/v1/cases/${caseId}/verify`;
  const live = await as<{ alertId: string; slug: string }>(and, 'POST', path, { version: body['version'] });
  expect(live.status).toBe(200);
  return { caseId, ...live.body };
}

const CLOSING = { kind: 'cancel', outcome: 'unfounded', cause: 'none' };

async function closed(by: Staff = [liaison, verifier]) {
  const alert = await release(null, undefined, by);
  expect((await as(by[0], 'POST', `/v1/alerts/${alert.alertId}/end`, CLOSING)).status).toBe(204);
  return alert;
}

describe('what is private of a live case', () => {
  it('stands nowhere in the database or its files, but for what the alert publishes', async () => {
    const begun = new Date();
    const returned = await file();
    await as(liaison, 'POST', `/v1/cases/${returned}/submit`);
    await as(verifier, 'POST', `/v1/cases/${returned}/return`, { reason: secret('reason') });
    const id = await file();
    const [shown, kept] = [
      await uploadPhoto(api.url, `/v1/cases/${id}/photos`, liaison, await noise()),
      await uploadPhoto(api.url, `/v1/cases/${id}/photos`, liaison, await noise()),
    ];
    const { slug } = await release(shown, id);
    const tip = { words: secret('words'), placeWords: secret('tip place'), contact: secret('contact') };
    const tipId = await uploadPhoto(api.url, `/v1/alerts/${slug}/sightings`, '', await noise(), {
      sighting: JSON.stringify(tip),
    });

    const picture = async (path: string) => (await bytesAt(path)).subarray(2000, 2024);
    const [publicPhoto, keptPhoto, tipPhoto] = [
      await picture(`/v1/cases/${id}/photos/${shown}`),
      await picture(`/v1/cases/${id}/photos/${kept}`),
      await picture(`/v1/cases/${id}/sightings/${tipId}/photo`),
    ];
    const point = Buffer.from('14.0612345');
    const hidden = [Buffer.from(`private-${mark}`), keptPhoto, tipPhoto, point];

    const dump = dumpOf(database.url);
    expect(hidden.map((bytes) => isIn(dump, bytes))).toEqual([false, false, false, false]);
    for (const bytes of hidden) expect(await filesHolding(db, bytes, begun)).toEqual([]);
    // The same search finds what is public, in tables and in the log of writes.
    const open = [Buffer.from(`public-${mark}`), publicPhoto];
    expect(open.map((bytes) => isIn(dump, bytes))).toEqual([true, true]);
    for (const bytes of open) {
      const files = (await filesHolding(db, bytes, begun)).join();
      expect(files).toContain('base/');
      expect(files).toContain('pg_wal/');
    }
  }, 60_000);

  it('is read as it was written by who may', async () => {
    const id = await file();
    const written = submission().case;
    const { name, looks, clothes, needs, circumstances, ageYears, sex } = written;
    expect((await as(liaison, 'GET', `/v1/cases/${id}`)).body).toMatchObject({
      details: { name, looks, clothes, needs, circumstances, ageYears, sex },
      lastSeen: { place: written.lastSeen.place, point: written.lastSeen.point },
      consent: written.consent,
    });
    const listed = await as<{ cases: { id: string; name: string }[] }>(liaison, 'GET', '/v1/cases');
    expect(listed.body.cases.find((one) => one.id === id)?.name).toBe(name);
  });

  it('does not open as another case’s', async () => {
    const [mine, other] = [await file(), await file()];
    await db.query('UPDATE cases SET sealed = (SELECT sealed FROM cases WHERE id = $2) WHERE id = $1', [mine, other]);
    expect((await as(liaison, 'GET', `/v1/cases/${mine}`)).status).toBe(500);
    expect((await as(liaison, 'GET', `/v1/cases/${other}`)).status).toBe(200);
    await db.query('DELETE FROM cases WHERE id = $1', [mine]);
  });

  it('knows the same picture again', async () => {
    const id = await file();
    const picture = await noise();
    const path = `/v1/cases/${id}/photos`;
    expect(await uploadPhoto(api.url, path, liaison, picture)).toBe(await uploadPhoto(api.url, path, liaison, picture));
    expect(await uploadPhoto(api.url, path, liaison, await noise())).not.toBe(
      await uploadPhoto(api.url, path, liaison, picture),
    );
  });

  it('holds a public copy of the photo from the release to the ending', async () => {
    const id = await file();
    const photo = await uploadPhoto(api.url, `/v1/cases/${id}/photos`, liaison, await noise());
    const copies = () => db.query<unknown[]>('SELECT width FROM alert_photos WHERE alert_id = $1', [alert.alertId]);
    const alert = await release(photo, id);
    expect(await copies()).toEqual([{ width: 300 }]);
    expect((await call(api.url, 'GET', `/v1/alerts/${alert.slug}`)).body['hasPhoto']).toBe(true);
    await as(liaison, 'POST', `/v1/alerts/${alert.alertId}/end`, CLOSING);
    expect(await copies()).toEqual([]);
    expect((await as(liaison, 'GET', `/v1/cases/${id}`)).body['photos']).toHaveLength(1);
  });
});

describe('a conflict of interest', () => {
  it('bars who declares it from everything on the case', async () => {
    const [both, colleague] = [await officer(agencyId, 'liaison', 'verifier'), await officer(agencyId, 'verifier')];
    const { caseId, alertId, slug } = await release(null, undefined, [both, colleague]);
    const photo = `/v1/cases/${caseId}/photos/${randomUUID()}`;
    await call(api.url, 'POST', `/v1/alerts/${slug}/sightings`, { json: { words: 'x' } });
    const [tip] = (await as<{ sightings: { id: string }[] }>(both, 'GET', `/v1/cases/${caseId}/sightings`)).body
      .sightings;
    expect((await as(both, 'POST', `/v1/cases/${caseId}/conflicts`, {})).status).toBe(204);
    const barred: [string, string, unknown?][] = [
      ['GET', `/v1/cases/${caseId}`],
      ['PUT', `/v1/cases/${caseId}`, submission()],
      ['GET', `/v1/cases/${caseId}/preview`],
      ['GET', photo],
      ['POST', `/v1/cases/${caseId}/submit`],
      ['POST', `/v1/cases/${caseId}/return`, { reason: 'x' }],
      ['POST', `/v1/cases/${caseId}/reject`, { reason: 'x' }],
      ['POST', `/v1/cases/${caseId}/verify`, { version: 'f'.repeat(64) }],
      ['POST', `/v1/cases/${caseId}/close`, { outcome: 'safe', cause: 'none' }],
      ['POST', `/v1/cases/${caseId}/conflicts`, {}],
      ['POST', `/v1/alerts/${alertId}/end`, CLOSING],
      ['GET', `/v1/cases/${caseId}/sightings`],
      ['POST', `/v1/cases/${caseId}/sightings`, { words: 'x' }],
      ['GET', `/v1/cases/${caseId}/sightings/${String(tip?.id)}/photo`],
      ['POST', `/v1/sightings/${String(tip?.id)}/triage`, { to: 'following' }],
      ['GET', `/v1/cases/${caseId}/funnel`],
    ];
    for (const [method, path, json] of barred) {
      expect([method, path, ...codeOf(await as(both, method, path, json))]).toEqual([
        method,
        path,
        403,
        'conflict_of_interest',
      ]);
    }
    const { body } = await as<{ cases: { id: string }[] }>(both, 'GET', '/v1/cases?limit=100');
    expect(body.cases.map(({ id }) => id)).not.toContain(caseId);
    expect((await as(colleague, 'GET', `/v1/cases/${caseId}`)).status).toBe(200);
    expect((await as(colleague, 'POST', `/v1/alerts/${alertId}/end`, CLOSING)).status).toBe(204);
  });

  it('is named of a colleague by verifiers alone, and then reviewed', async () => {
    const colleague = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    const theirs = await signIn(api.url, colleague);
    const id = await file();
    const path = `/v1/cases/${id}/conflicts`;
    expect(codeOf(await as(liaison, 'POST', path, { officerId: colleague.id }))).toEqual([403, 'forbidden']);
    expect((await as(theirs, 'GET', `/v1/cases/${id}`)).status).toBe(200);
    for (let again = 0; again < 2; again += 1) {
      expect((await as(verifier, 'POST', path, { officerId: colleague.id })).status).toBe(204);
    }
    expect(codeOf(await as(theirs, 'GET', `/v1/cases/${id}`))).toEqual([403, 'conflict_of_interest']);
    expect((await as(verifier, 'GET', `/v1/cases/${id}`)).body['conflictedIds']).toEqual([colleague.id]);
    const reviews = await db.query<unknown[]>('SELECT act FROM reviews WHERE thing = $1 AND act = $2', [
      `case:${id}`,
      'case.conflict',
    ]);
    expect(reviews).toHaveLength(1);
    const entries = await db.query<{ detail: unknown }[]>(
      `SELECT detail FROM audit_entries WHERE thing = $1 AND action = 'case.conflict'`,
      [`case:${id}`],
    );
    expect(entries).toEqual([{ detail: { officer: colleague.id } }]);
  });

  it('is not named of officers elsewhere, who are as if there were none', async () => {
    const id = await file();
    const stranger = await makeOfficer(api.app, { agencyId: await makeAgency(api.app), roles: ['liaison'] });
    const path = `/v1/cases/${id}/conflicts`;
    const [foreign, absent] = [
      await as(verifier, 'POST', path, { officerId: stranger.id }),
      await as(verifier, 'POST', path, { officerId: randomUUID() }),
    ];
    expect(codeOf(foreign)).toEqual([404, 'officer_not_found']);
    expect({ ...foreign.body, instance: 0 }).toEqual({ ...absent.body, instance: 0 });
    const theirs = await signIn(api.url, stranger);
    expect(codeOf(await as(theirs, 'POST', path, {}))).toEqual([404, 'case_not_found']);
  });
});

describe('erasure', () => {
  const eraseDue = (limit = 100) => api.app.get(Cases, { strict: false }).eraseDue(limit);
  const forgetErased = () => api.app.get(Sightings, { strict: false }).forgetErased();
  const age = (id: string, days: number) =>
    db.query(
      `UPDATE cases SET updated_at = now() - make_interval(days => $2),
         closed_at = CASE WHEN closed_at IS NOT NULL THEN now() - make_interval(days => $2) END WHERE id = $1`,
      [id, days],
    );
  const isErased = async (id: string) =>
    (await db.query<[{ gone: boolean }]>('SELECT erased_at IS NOT NULL AS gone FROM cases WHERE id = $1', [id]))[0]
      .gone;

  it('takes a closed case with its photos and tips when its time is over, and leaves its counts', async () => {
    const id = await file();
    const photo = await uploadPhoto(api.url, `/v1/cases/${id}/photos`, liaison, await noise());
    const { caseId, alertId, slug } = await release(photo, id);
    await call(api.url, 'POST', `/v1/alerts/${slug}/sightings`, { json: { words: secret('words') } });
    await as(liaison, 'POST', `/v1/alerts/${alertId}/end`, CLOSING);
    const [tip] = (await as<{ sightings: { id: string }[] }>(liaison, 'GET', `/v1/cases/${caseId}/sightings`)).body
      .sightings;
    await age(caseId, 89);
    await eraseDue();
    const { keptUntil } = (await as<{ keptUntil: string }>(liaison, 'GET', `/v1/cases/${caseId}`)).body;
    expect(Math.round((Date.parse(keptUntil) - Date.now()) / 86_400_000)).toBe(1);
    await age(caseId, 91);
    expect(await eraseDue()).toBe(1);
    expect(await eraseDue()).toBe(0);
    const reads = [
      `/v1/cases/${caseId}`,
      `/v1/cases/${caseId}/photos/${photo}`,
      `/v1/cases/${caseId}/sightings`,
      `/v1/cases/${caseId}/sightings/${String(tip?.id)}/photo`,
    ];
    for (const path of reads) {
      const answer = await as(liaison, 'GET', path);
      expect([path, ...codeOf(answer)]).toEqual([path, 410, 'case_erased']);
      expect(JSON.stringify(answer.body)).not.toMatch(/private|G72-|closed/);
    }
    const stranger = await officer(await makeAgency(api.app), 'liaison');
    expect(codeOf(await as(stranger, 'GET', `/v1/cases/${caseId}`))).toEqual([404, 'case_not_found']);
    const { body } = await as<{ cases: { id: string }[] }>(liaison, 'GET', '/v1/cases?limit=100');
    expect(body.cases.map((one) => one.id)).not.toContain(caseId);
    expect(await forgetErased()).toBe(1);
    expect(await forgetErased()).toBe(0);
    const [left] = await db.query<[object]>(
      `SELECT c.sealed, c.outcome, s.sealed AS tip, s.observed_at, s.state, (SELECT count(*) FROM case_photos WHERE case_id = c.id) AS photos,
         (SELECT count(*) FROM vault.case_keys WHERE case_id = c.id) AS keys
       FROM cases c JOIN sightings s ON s.case_id = c.id WHERE c.id = $1`,
      [caseId],
    );
    expect(left).toEqual({ sealed: null, outcome: 'unfounded', tip: null, observed_at: null, state: 'new', photos: 0, keys: 0 }); // prettier-ignore
    const funnel = await as(liaison, 'GET', `/v1/cases/${caseId}/funnel`);
    expect(funnel.body).toMatchObject({ outcome: 'unfounded', sightings: { total: 1 } });
    const entries = await db.query<unknown[]>(
      `SELECT agency_id, actor FROM audit_entries WHERE thing = $1 AND action = 'case.erase'`,
      [`case:${caseId}`],
    );
    expect(entries).toEqual([{ agency_id: agencyId, actor: 'system:retention' }]);
  });

  it('comes after as many days as the agency says, and as many rounds as it takes', async () => {
    const agency = await makeAgency(api.app);
    await db.query('UPDATE agencies SET retention_days = 7 WHERE id = $1', [agency]);
    const staff: Staff = [await officer(agency, 'liaison'), await officer(agency, 'verifier')];
    const ids = [];
    for (let n = 0; n < 3; n += 1) ids.push((await closed(staff)).caseId);
    for (const id of ids.slice(0, 2)) await age(id, 8);
    await age(ids[2] ?? '', 6);
    expect([await eraseDue(1), await eraseDue(1), await eraseDue(1)]).toEqual([1, 1, 0]);
    expect(await Promise.all(ids.map(isErased))).toEqual([true, true, false]);
  });

  it('takes what was rejected or only written, and nothing that waits or is under way', async () => {
    const [draft, returned, rejected, waiting] = [await file(), await file(), await file(), await file()];
    for (const id of [returned, rejected, waiting]) await as(liaison, 'POST', `/v1/cases/${id}/submit`);
    await as(verifier, 'POST', `/v1/cases/${returned}/return`, { reason: 'x' });
    await as(verifier, 'POST', `/v1/cases/${rejected}/reject`, { reason: 'x' });
    const { caseId: active } = await release();
    const all = [draft, returned, rejected, waiting, active];
    for (const id of all) await age(id, 91);
    expect(await eraseDue()).toBe(3);
    expect(await Promise.all(all.map(isErased))).toEqual([true, true, true, false, false]);
    expect(codeOf(await as(liaison, 'PUT', `/v1/cases/${draft}`, submission()))).toEqual([410, 'case_erased']);
  });

  it('by several workers at once takes each once', async () => {
    const ids = [(await closed()).caseId, (await closed()).caseId, (await closed()).caseId];
    for (const id of ids) await age(id, 91);
    const taken = await Promise.all([eraseDue(), eraseDue(), eraseDue()]);
    expect(taken.reduce((sum, n) => sum + n)).toBe(3);
    const [{ entries }] = await db.query<[{ entries: number }]>(
      `SELECT count(*) AS entries FROM audit_entries WHERE action = 'case.erase' AND thing = ANY ($1)`,
      [ids.map((id) => `case:${id}`)],
    );
    expect(entries).toBe(3);
  });

  it('is not undone by an older copy of the tables', async () => {
    const { caseId } = await closed();
    const tables = dumpOf(database.url, '--exclude-schema=vault');
    const [{ wrapped }] = await db.query<[{ wrapped: Buffer }]>(
      'SELECT wrapped FROM vault.case_keys WHERE case_id = $1',
      [caseId],
    );
    expect([isIn(tables, wrapped), isIn(dumpOf(database.url), wrapped)]).toEqual([false, true]);
    const before = await db.query<unknown[]>('SELECT sealed FROM cases WHERE id = $1', [caseId]);
    await age(caseId, 91);
    expect(await eraseDue()).toBe(1);
    const { sealed } = before[0] as { sealed: Buffer };
    await db.query('UPDATE cases SET sealed = $2, erased_at = NULL WHERE id = $1', [caseId, sealed]);
    expect(codeOf(await as(liaison, 'GET', `/v1/cases/${caseId}`))).toEqual([410, 'case_erased']);
    expect(codeOf(await as(liaison, 'GET', `/v1/cases/${caseId}/sightings`))).toEqual([410, 'case_erased']);
    expect((await as(liaison, 'GET', '/v1/cases')).status).toBe(200);
    // It is due again, and goes as it went.
    expect(await eraseDue()).toBe(1);
  });

  it('reaches processes that have opened the case before', async () => {
    const id = await file();
    const elsewhere = api.app.get(CaseKeys, { strict: false });
    await elsewhere.of(id);
    await db.query('DELETE FROM vault.case_keys WHERE case_id = $1', [id]);
    expect(await elsewhere.of(id)).toBeDefined();
    await db.transaction((tx) => elsewhere.destroy(tx, id));
    await expect(elsewhere.of(id)).rejects.toMatchObject({ code: 'case_erased' });
    await db.query('DELETE FROM cases WHERE id = $1', [id]);
  });
});
