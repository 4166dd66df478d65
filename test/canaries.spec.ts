import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import sharp from 'sharp';
import { AgencyKeys } from '#access';
import { drawnPortrait } from './harness/alert-rows.ts';
import { call, type CallOptions, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { TestCity } from './harness/city.ts';
import { redisUrl } from './harness/env.ts';
import { startPublic, type TestPublic } from './harness/public.ts';
import { until } from './harness/until.ts';

const TOKEN = 'sim:canary-device-token-7f3d';
/** Digits of a place that no coarser one has. */
const LON = 114.0614327;
const LAT = 22.5438619;

const canaries: string[] = [];
/** A word that is found nowhere by chance, for one private field. */
function canary(field: string): string {
  const word = `canary-${field}-7f3d`;
  canaries.push(word);
  return word;
}

let city: TestCity;
let api: TestApi;
let site: TestPublic;
const written: string[] = [];

// The logger is one per process, and so are its level and its output: hence a test file of its own.
beforeAll(async () => {
  jest.spyOn(process.stdout, 'write').mockImplementation((line) => written.push(String(line)) > 0);
  city = await TestCity.start({ phones: { receiveRate: 1, openRate: 0 } }, { LOG_LEVEL: 'trace' });
  const databaseUrl = (city.source.options as { url: string }).url;
  site = await startPublic(databaseUrl, { LOG_LEVEL: 'trace' });
  api = await startApi({ databaseUrl, redisUrl: redisUrl(), LOG_LEVEL: 'trace', PUBLIC_URL: site.url });
}, 60_000);

afterAll(async () => {
  await api?.close();
  await site?.close();
  await city?.close();
  jest.restoreAllMocks();
});

const ask = <Body = Record<string, unknown>>(method: string, path: string, options: CallOptions = {}) =>
  call<Body>(api.url, method, path, options);

/** Asks, and expects it to be done. */
async function done<Body = Record<string, unknown>>(method: string, path: string, options: CallOptions = {}) {
  const answer = await ask<Body>(method, path, options);
  expect([path, answer.status, answer.status < 300 ? '' : answer.body]).toEqual([path, answer.status, '']);
  return answer.body;
}

const privateCase = () => ({
  type: 'family_abduction',
  name: canary('name'),
  ageYears: 7,
  sex: 'female',
  looks: canary('looks'),
  clothes: canary('clothes'),
  needs: canary('needs'),
  circumstances: canary('circumstances'),
  lastSeen: {
    until: new Date(Date.now() - 7_200_000).toISOString(),
    place: canary('last-seen-place'),
    point: { lon: LON, lat: LAT, datum: 'wgs84' },
  },
  consent: { given: 'none', reason: canary('consent-reason') },
  custodyOrderChecked: true,
  publicity: 'safe',
});

const ALERT = {
  tier: 'critical',
  place: { 'zh-CN': '深圳莲花山', en: 'Lianhuashan, Shenzhen' },
  texts: { 'zh-CN': { title: '寻找走失男孩', body: '六岁。' }, en: { title: 'Missing boy', body: 'Six years old.' } },
};

/** Everything that anybody may ask for without a credential, of every process. */
async function publicAnswers(slug: string, forward: string): Promise<string> {
  const addresses = [
    ...['', '?lang=zh-CN', '?lang=en', '/photo.jpg', '/thanks', '/nothing'].map(
      (rest) => `${site.url}/a/${slug}${rest}`,
    ),
    forward,
    ...[api.url, site.url].flatMap((url) => ['/healthz', '/readyz', '/metrics', '/'].map((path) => url + path)),
    `${api.url}/openapi.json`,
    `${api.url}/v1/alerts/${slug}`,
  ];
  const said = addresses.map(async (address) => {
    const answer = await fetch(address);
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    return `${address} ${answer.status}\n${headers}\n${Buffer.from(await answer.arrayBuffer()).toString('latin1')}`;
  });
  return (await Promise.all(said)).join('\n');
}

/** Refusals, each of what holds a canary itself. */
async function refusals(caseId: string, cookie: string, secret: string): Promise<string> {
  const word = canary('refused');
  const asked: [string, string, CallOptions][] = [
    ['POST', '/v1/session', { json: { login: word, password: word } }],
    ['POST', '/v1/session', { json: { login: word, password: word, extra: word } }],
    ['POST', '/v1/cases', { cookie, json: { case: { name: word, ageYears: word } } }],
    ['POST', '/v1/cases', { cookie, body: `{"case": "${word}`, headers: { 'content-type': 'application/json' } }],
    ['GET', '/v1/cases/nonsense', { cookie }],
    ['GET', `/v1/cases/${caseId}`, {}],
    ['GET', `/v1/cases/${caseId}`, { cookie: `g72_session=${word}` }],
    ['GET', `/v1/cases/${caseId}`, { bearer: `g72k_${secret}` }],
    ['POST', `/v1/cases/${caseId}/photos`, { cookie, body: photoForm(Buffer.from(word)) }],
    ['POST', `/v1/cases/${caseId}/verify`, { cookie, json: { version: 'f'.repeat(64) } }],
    ['POST', '/v1/devices', { json: { platform: word, token: word, language: word } }],
    ['PUT', '/v1/devices/me/position', { bearer: `g72d_${word}`, json: { place: { lon: LON, lat: LAT } } }],
    ['POST', '/v1/receipts', { json: { items: [{ ref: word, kind: word }] } }],
  ];
  const answers: string[] = [];
  for (const [method, path, options] of asked) {
    const { status, body, headers } = await ask(method, path, options);
    expect([method, path, status >= 400]).toEqual([method, path, true]);
    answers.push([...headers].join('\n'), JSON.stringify(body));
  }
  return answers.join('\n');
}

function photoForm(photo: Buffer): FormData {
  const form = new FormData();
  form.set('photo', new Blob([new Uint8Array(photo)], { type: 'image/jpeg' }), 'canary-file-name-7f3d.jpg');
  return form;
}

it('keeps what is private of a case, of officers, keys, tips and devices from everybody outside, and from the logs', async () => {
  const agencyId = await makeAgency(api.app);
  const officer = (name: string, role: 'liaison' | 'verifier') =>
    makeOfficer(api.app, {
      agencyId,
      roles: [role],
      login: canary(`${name}-login`),
      name: canary(`${name}-name`),
      password: canary(`${name}-password`),
    });
  const liaison = await signIn(api.url, await officer('liaison', 'liaison'));
  const verifier = await signIn(api.url, await officer('verifier', 'verifier'));
  canaries.push(liaison.slice('g72_session='.length), verifier.slice('g72_session='.length));
  const keys = api.app.get(AgencyKeys, { strict: false });
  const label = canary('key-label');
  const { secret } = await city.source.transaction((tx) => keys.create(tx, agencyId, label));
  canaries.push(secret);

  const device = await done<{ secret: string }>('POST', '/v1/devices', {
    json: { platform: 'android', token: TOKEN, language: 'en' },
  });
  canaries.push(device.secret);
  const place = { lon: LON, lat: LAT, datum: 'wgs84' };
  await done('PUT', '/v1/devices/me/position', { bearer: device.secret, json: { place } });

  const intake = { case: privateCase(), alert: ALERT };
  await done('POST', '/v1/intake', {
    bearer: `g72k_${secret.replace(/^g72k_/, '')}`,
    json: intake,
    headers: { 'idempotency-key': canary('idempotency-key') },
  });

  const { id } = await done<{ id: string }>('POST', '/v1/cases', {
    cookie: liaison,
    json: { case: privateCase(), alert: ALERT },
  });
  const exif = { IFD0: { Artist: canary('exif-artist') } };
  const upload = await sharp(await drawnPortrait())
    .jpeg()
    .withExif(exif)
    .toBuffer();
  const photo = await done<{ id: string }>('POST', `/v1/cases/${id}/photos`, {
    cookie: liaison,
    body: photoForm(upload),
  });
  const whole = { case: privateCase(), alert: { ...ALERT, photoId: photo.id } };
  await done('PUT', `/v1/cases/${id}`, { cookie: liaison, json: whole });
  await done('POST', `/v1/cases/${id}/submit`, { cookie: liaison });
  await done('POST', `/v1/cases/${id}/return`, { cookie: verifier, json: { reason: canary('return-reason') } });
  await done('POST', `/v1/cases/${id}/submit`, { cookie: liaison });
  const { version } = await done('GET', `/v1/cases/${id}`, { cookie: verifier });
  const live = await done<{ alertId: string; slug: string }>('POST', `/v1/cases/${id}/verify`, {
    cookie: verifier,
    json: { version },
  });
  await city.settled(live.alertId);
  const shown = await until('the phone shows it', () => city.simulator.shownBy(TOKEN).at(0));
  const ref = String(shown['ref']);
  const forward = await done<{ url: string }>('POST', '/v1/forwards', { json: { ref } });

  const tip = new FormData();
  for (const field of ['words', 'place', 'contact']) tip.set(field, canary(`tip-${field}`));
  tip.set('lon', String(LON));
  tip.set('lat', String(LAT));
  const told = await fetch(`${site.url}/a/${live.slug}/sightings`, { method: 'POST', body: tip, redirect: 'manual' });
  expect(told.status).toBe(303);
  const { sightings } = await done<{ sightings: unknown[] }>('GET', `/v1/cases/${id}/sightings`, { cookie: verifier });
  expect(sightings).toHaveLength(1);

  const before = await publicAnswers(live.slug, forward.url);
  const refused = await refusals(id, liaison, secret);
  const ending = { kind: 'found', ending: 'ended', familyTold: true, outcome: 'harmed', cause: 'direct' };
  await done('POST', `/v1/alerts/${live.alertId}/end`, { cookie: liaison, json: ending });
  await city.settled(live.alertId);
  await until('the ending is shown', () => JSON.stringify(city.simulator.shownBy(TOKEN)).includes('found'));
  await until('the page is gone', async () => (await fetch(`${site.url}/a/${live.slug}`)).status === 410);
  const after = await publicAnswers(live.slug, forward.url);
  const pushed = JSON.stringify([shown, city.simulator.shownBy(TOKEN)]);

  // What is looked through holds what it should: silence would prove nothing.
  expect(before).toContain('Missing boy');
  expect(pushed).toContain('Missing boy');
  expect(written.length).toBeGreaterThan(30);
  expect(written.join('')).toContain(`/v1/cases/${id}`);
  expect(
    (await done<Record<string, unknown>>('GET', `/v1/cases/${id}`, { cookie: verifier }))['details'],
  ).toMatchObject({
    name: 'canary-name-7f3d',
  });

  const open = { before, after, refused, pushed, logs: written.join('') };
  const words = [...canaries, 'canary', TOKEN, '7f3d', 'family_abduction', '0614327', '5438619', 'harmed', 'custody'];
  for (const [where, said] of Object.entries(open)) {
    // The words of the schemas are public: in the description of the api, and in what a refusal says is missing.
    const texts = said.replace(/^.*\/openapi\.json 200[^]*?(?=^http)/m, '');
    const found = words.filter((word) => texts.includes(word));
    expect([where, found]).toEqual([where, []]);
  }
}, 90_000);
