import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import sharp from 'sharp';
import { DataSource } from 'typeorm';
import { type Anchor, AuditVerification } from '#audit';
import { RecipientReferences } from '#dispatch';
import type { Funnel } from '#outcomes';
import { AuditAnchors } from '../apps/worker/src/audit-anchors.ts';
import { Retention } from '../apps/worker/src/retention.ts';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { startSimulator, type Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import { call, makeAgency, startApi, type TestApi, uploadPhoto } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { emptyRedis, redisUrl, simulatorEnv, testEnv } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { startPublic, type TestPublic } from './harness/public.ts';
import { redisContents } from './harness/redis-contents.ts';
import { dumpOf, filesHolding, isIn } from './harness/residue.ts';
import { restore } from './harness/restored.ts';
import { type Colleague, hire } from './harness/staff.ts';
import { until } from './harness/until.ts';

/** What no two runs share, so that a search finds this run's alone. */
const mark = randomBytes(6).toString('hex');
const PRIVATE = `private-${mark}`;
const PUBLIC = `public-${mark}`;
/** Digits that stand in the exact place of the case and of a tip, and nowhere else. */
const PLACES = ['14.0612345', '14.0698765'];

const BROWSER =
  'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36';

/** A picture of noise, which no encoder makes small or alike. */
const noise = () =>
  sharp(randomBytes(300 * 200 * 3), { raw: { width: 300, height: 200, channels: 3 } })
    .png()
    .toBuffer();

/** Bytes of a picture that no other holds. */
const patternOf = (picture: Buffer) => picture.subarray(2000, 2024);

const everyText = (canary: string) => ({
  'zh-CN': { title: `寻找 ${canary}`, body: `黄色雨衣 ${canary}` },
  en: { title: `Missing ${canary}`, body: `Yellow raincoat ${canary}` },
});

const submission = (photoId: string | null) => ({
  case: {
    type: 'abduction',
    name: `${PRIVATE} name`,
    ageYears: 6,
    looks: `${PRIVATE} looks`,
    clothes: `${PRIVATE} clothes`,
    needs: `${PRIVATE} needs`,
    circumstances: `${PRIVATE} circumstances`,
    lastSeen: {
      from: new Date(Date.now() - 7_200_000).toISOString(),
      until: new Date(Date.now() - 3_600_000).toISOString(),
      place: `${PRIVATE} place`,
      point: { lon: 114.0612345, lat: 22.5412345, datum: 'wgs84' },
    },
    consent: { given: 'none', reason: `${PRIVATE} consent` },
    custodyOrderChecked: true,
    publicity: 'safe',
  },
  alert: {
    tier: 'critical',
    photoId,
    place: { 'zh-CN': `深圳 ${PUBLIC}`, en: `Shenzhen ${PUBLIC}` },
    texts: everyText(PUBLIC),
  },
});

let database: TestDatabase;
let folder: string;
let simulator: Simulator;
let worker: NestFastifyApplication;
let api: TestApi;
let pages: TestPublic;
let db: DataSource;
let agencyId: string;
let liaison: Colleague;
let verifier: Colleague;
const begun = new Date();
const logged: string[] = [];

// The logger is one per process, and so are its level and its output: hence a test file of its own.
beforeAll(async () => {
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => logged.push(String(line)) > 0);
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'golden72-erasure-'));
  simulator = await startSimulator({ dir: folder, settings: { phones: { openRate: 0 } } });
  const shared = { REDIS_URL: await emptyRedis(), LOG_LEVEL: 'trace' };
  api = await startApi({ databaseUrl: database.url, redisUrl: redisUrl(), LOG_LEVEL: 'trace' });
  pages = await startPublic(database.url, shared);
  worker = await createWorker(testEnv(database.url, { ...shared, ...simulatorEnv(simulator) }));
  await worker.init();
  db = worker.get(DataSource);
  agencyId = await makeAgency(api.app);
  liaison = await hire(api, agencyId, 'liaison');
  verifier = await hire(api, agencyId, 'verifier');
}, 60_000);

afterAll(async () => {
  await pages?.close();
  await api?.close();
  await worker?.close();
  await simulator?.close();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
  jest.restoreAllMocks();
});

async function ask<Body = Record<string, unknown>>(who: Colleague, method: string, path: string, json?: unknown) {
  const answer = await who.ask<Body>(method, path, json);
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function pattern(path: string): Promise<Buffer> {
  const answer = await fetch(new URL(path, api.url), { headers: { cookie: liaison.cookie } });
  return patternOf(Buffer.from(await answer.arrayBuffer()));
}

const settled = (alertId: string) =>
  until('every wave settled', async () => {
    const [row] = await db.query<[{ open: number; waves: number }]>(
      'SELECT count(*) FILTER (WHERE settled_at IS NULL) AS open, count(*) AS waves FROM waves WHERE alert_id = $1',
      [alertId],
    );
    return row.open === 0 && row.waves > 0;
  });

interface Story {
  readonly caseId: string;
  readonly alertId: string;
  readonly slug: string;
  readonly token: string;
  /** Bytes of every picture: the public one, one that was kept back, and a tip's. */
  readonly shown: Buffer;
  readonly hidden: readonly Buffer[];
  readonly ref: string;
}

/** From the first word to the ending, as on any day: filed, sent, opened, forwarded, viewed, tipped, changed, found. */
async function live(): Promise<Story> {
  await makeDevices(db, scatter(60, SHENZHEN, 20_000));
  const { id: caseId } = await ask<{ id: string }>(liaison, 'POST', '/v1/cases', submission(null));
  const photoId = await uploadPhoto(api.url, `/v1/cases/${caseId}/photos`, liaison.cookie, await noise());
  const keptId = await uploadPhoto(api.url, `/v1/cases/${caseId}/photos`, liaison.cookie, await noise());
  await ask(liaison, 'PUT', `/v1/cases/${caseId}`, submission(photoId));
  await ask(liaison, 'POST', `/v1/cases/${caseId}/submit`);
  await ask(verifier, 'POST', `/v1/cases/${caseId}/return`, { reason: `${PRIVATE} reason` });
  await ask(liaison, 'POST', `/v1/cases/${caseId}/submit`);
  const { version } = await ask<{ version: string }>(verifier, 'GET', `/v1/cases/${caseId}`);
  type Released = { alertId: string; slug: string };
  const { alertId, slug } = await ask<Released>(verifier, 'POST', `/v1/cases/${caseId}/verify`, { version });
  await settled(alertId);
  expect(simulator.alertStats(alertId).accepted).toBeGreaterThan(30);

  const token = await answer(alertId);
  await visit(slug, token);
  const tipId = await tip(slug);
  await ask(liaison, 'POST', `/v1/cases/${caseId}/sightings`, { words: `${PRIVATE} by phone` });
  const changes = `/v1/alerts/${alertId}/changes`;
  const { id } = await ask<{ id: string }>(liaison, 'POST', changes, { kind: 'texts', texts: everyText(PUBLIC) });
  await ask(verifier, 'POST', `${changes}/${id}/reject`, { reason: `${PRIVATE} why not` });

  const photos = `/v1/cases/${caseId}/photos`;
  const shown = await pattern(`${photos}/${photoId}`);
  const hidden = [await pattern(`${photos}/${keptId}`), await pattern(`/v1/cases/${caseId}/sightings/${tipId}/photo`)];
  return { caseId, alertId, slug, token, shown, hidden, ref: await reference(alertId, 40) };
}

async function reference(alertId: string, index: number): Promise<string> {
  const places = await db.query<{ id: number; index: number }[]>(
    `SELECT b.id, i AS index FROM batches b JOIN waves w ON w.id = b.wave_id, generate_series(0, b.size - 1) i
     WHERE b.alert_id = $1 AND w.audience = 'ring' ORDER BY b.id, i`,
    [alertId],
  );
  const place = places[index];
  if (!place) throw new Error('too few recipients');
  return api.app.get(RecipientReferences, { strict: false }).encode(place.id, place.index);
}

/** Phones receive and open; one of their owners sends the alert on, and so does who gets it. @returns the second link's token */
async function answer(alertId: string): Promise<string> {
  const refs = await Promise.all(Array.from({ length: 24 }, (_, index) => reference(alertId, index)));
  const items = refs.map((ref, index) => ({ ref, kind: index < 12 ? 'opened' : 'received' }));
  expect((await call(api.url, 'POST', '/v1/receipts', { json: { items } })).body).toMatchObject({ accepted: 24 });
  const forward = (json: unknown) => call<{ token: string }>(api.url, 'POST', '/v1/forwards', { json });
  const { token } = (await forward({ ref: refs[0] })).body;
  return (await forward({ parent: token })).body.token;
}

async function visit(slug: string, token: string): Promise<void> {
  const page = await fetch(`${pages.url}/a/${slug}?f=${token}&lang=en`, { headers: { 'user-agent': BROWSER } });
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining(PUBLIC)]);
  expect((await fetch(`${pages.url}/a/${slug}/photo.jpg`)).status).toBe(200);
  await until('the view is counted', () => db.query<unknown[]>('SELECT 1 FROM views').then((rows) => rows.length > 0));
}

async function tip(slug: string): Promise<string> {
  const sighting = {
    words: `${PRIVATE} words`,
    placeWords: `${PRIVATE} tip place`,
    contact: `${PRIVATE} contact`,
    place: { lon: 114.0698765, lat: 22.5498765, datum: 'wgs84' },
  };
  return uploadPhoto(api.url, `/v1/alerts/${slug}/sightings`, '', await noise(), {
    sighting: JSON.stringify(sighting),
  });
}

const DUMP = ['--inserts', '--no-owner', '--no-acl'];

const isBase = (path: string) => path.startsWith('base/');

describe('a case whose time is over', () => {
  let story: Story;
  let before: Funnel;
  /** A backup of the days when the case was live, as they are made: without the vault. */
  let backup: string;
  let vaultOfThen: string;

  const hiddenBytes = () => [Buffer.from(PRIVATE), ...PLACES.map((place) => Buffer.from(place)), ...story.hidden];
  const allBytes = () => [...hiddenBytes(), Buffer.from(PUBLIC), story.shown];
  const funnel = () => ask<Funnel>(verifier, 'GET', `/v1/cases/${story.caseId}/funnel`);

  beforeAll(async () => {
    story = await live();
    backup = dumpOf(database.url, ...DUMP, '--exclude-schema=vault');
    vaultOfThen = dumpOf(database.url, ...DUMP, '--schema=vault');
    expect([isIn(backup, Buffer.from(PUBLIC)), isIn(backup, story.shown)]).toEqual([true, true]);
    const ending = { kind: 'found', outcome: 'safe', cause: 'direct', ending: 'safe', familyTold: true };
    await ask(liaison, 'POST', `/v1/alerts/${story.alertId}/end`, ending);
    await settled(story.alertId);
    await db.query(`UPDATE cases SET closed_at = closed_at - interval '91 days'`);
    before = await funnel();
    for (const step of Object.values(worker.get(Retention).steps)) await step();
  }, 90_000);

  it('has left nothing in the database, and what was private never stood in its files', async () => {
    const dump = dumpOf(database.url);
    for (const bytes of allBytes())
      expect([bytes.toString('hex'), isIn(dump, bytes)]).toEqual([expect.anything(), false]);
    expect(dump).not.toMatch(/COPY public\.(batch_recipients|receipts|views) .*\n(?!\\\.)/);
    for (const bytes of hiddenBytes()) expect(await filesHolding(db, bytes, begun)).toEqual([]);
    // What was public stood there in plain, and goes from the tables' files when they are rewritten.
    await db.query('VACUUM FULL');
    for (const bytes of allBytes()) expect((await filesHolding(db, bytes, begun)).filter(isBase)).toEqual([]);
  }, 60_000);

  it('has left nothing in Redis, and was never in a log', async () => {
    const kept = await redisContents(redisUrl());
    const lines = logged.join('\n');
    expect(lines).toContain('forgotten');
    for (const canary of [PRIVATE, PUBLIC, ...PLACES]) {
      expect([canary, kept.includes(canary), lines.includes(canary)]).toEqual([canary, false, false]);
    }
  });

  it('answers 410 at every address it had', async () => {
    const { slug, token, ref, caseId } = story;
    const page = (path: string, init?: RequestInit) => fetch(`${pages.url}/a/${slug}${path}`, init);
    const json = { words: 'seen' };
    const body = JSON.stringify({ parent: token });
    const form = new URLSearchParams({ words: 'seen' });
    const public_ = await Promise.all([
      page(''),
      page(`?f=${token}`),
      page('/photo.jpg'),
      page('/forward', { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
      page('/sightings', { method: 'POST', body: form }),
      fetch(`${api.url}/v1/alerts/${slug}`),
    ]);
    expect(public_.map(({ status }) => status)).toEqual(public_.map(() => 410));
    for (const told of public_) expect(await told.text()).not.toMatch(new RegExp(`${PRIVATE}|${PUBLIC}`));
    const gone = await Promise.all([
      call(api.url, 'POST', `/v1/alerts/${slug}/sightings`, { json }),
      call(api.url, 'POST', '/v1/forwards', { json: { ref } }),
      call(api.url, 'POST', '/v1/forwards', { json: { parent: token } }),
      ...[
        `/v1/cases/${caseId}`,
        `/v1/cases/${caseId}/preview`,
        `/v1/cases/${caseId}/sightings`,
        `/v1/alerts/${story.alertId}/changes`,
      ].map((path) => liaison.ask('GET', path)),
    ]);
    expect(gone.map(({ status, body: told }) => [status, told['code']])).toEqual([
      ...Array<unknown>(3).fill([410, 'alert_ended']),
      ...Array<unknown>(4).fill([410, 'case_erased']),
    ]);
    expect((await call(api.url, 'POST', '/v1/receipts', { json: { items: [{ ref, kind: 'opened' }] } })).body).toEqual({
      accepted: 0,
      ignored: 1,
    });
  });

  it('has left its counts, and who did what in the audit', async () => {
    expect(await funnel()).toEqual(before);
    expect(before.alerts[0]?.reached.received).toBeGreaterThan(10);
    const lists = [
      await ask(liaison, 'GET', '/v1/cases'),
      await ask(verifier, 'GET', '/v1/audit?limit=200'),
      await ask(verifier, 'GET', '/v1/reviews'),
      await ask(verifier, 'GET', '/v1/retention'),
    ];
    expect(JSON.stringify(lists)).not.toMatch(new RegExp(`${PRIVATE}|${PUBLIC}`));
    const erased = await db.query<{ action: string }[]>(
      `SELECT action FROM audit_entries WHERE actor = 'system:retention' ORDER BY action`,
    );
    expect(erased.map(({ action }) => action)).toEqual(['alert.erase', 'case.erase']);
    await worker.get(AuditAnchors).tell();
    const anchors = logged.flatMap((line) => {
      const { anchor } = JSON.parse(line) as { anchor?: Anchor };
      return anchor ? [anchor] : [];
    });
    expect(anchors.map((anchor) => anchor.agencyId)).toContain(agencyId);
    const { faults } = await api.app.get(AuditVerification, { strict: false }).verify(undefined, anchors);
    expect(faults).toEqual([]);
  });

  /** What the api says of the case where the backup is restored beside a vault: the case, its tips, the list of cases. */
  async function restoredBeside(vault: string) {
    const restored = await restore(backup, vault);
    const again = await startApi({ databaseUrl: restored.url, redisUrl: redisUrl(), LOG_LEVEL: 'trace' });
    try {
      const see = (path: string) => call(again.url, 'GET', path, { cookie: liaison.cookie });
      const [found, tips] = [await see(`/v1/cases/${story.caseId}`), await see(`/v1/cases/${story.caseId}/sightings`)];
      return { found, tips, listed: await see('/v1/cases') };
    } finally {
      await again.close();
      await restored.drop();
    }
  }

  it('stays erased in a backup of when it was live, restored beside the vault of today', async () => {
    for (const bytes of hiddenBytes()) expect(isIn(backup, bytes)).toBe(false);
    const vault = dumpOf(database.url, ...DUMP, '--schema=vault');
    const { found, tips, listed } = await restoredBeside(vault);
    expect([found.status, found.body['code']]).toEqual([410, 'case_erased']);
    expect([tips.status, tips.body['code']]).toEqual([410, 'case_erased']);
    expect([listed.status, listed.body['cases']]).toEqual([200, []]);
    // The key alone makes the difference: beside the vault of then, nothing would be lost.
    const then = await restoredBeside(vaultOfThen);
    expect(JSON.stringify([then.found.body, then.tips.body])).toContain(PRIVATE);
  }, 90_000);
});
