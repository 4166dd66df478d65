import { type IncomingMessage, request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import sharp from 'sharp';
import { DataSource } from 'typeorm';
import { PublicAlerts, RecipientReferences } from '#dispatch';
import { ForwardLimiter, Forwards, FORWARDS_PER_WINDOW, Views } from '#engagement';
import { SECURITY_HEADERS } from '../apps/public/src/security-headers.ts';
import {
  CANARY,
  drawnPortrait,
  ENDING_TEXTS,
  endAlert,
  PUBLIC_TEXTS,
  type SeededAlert,
  seedAlert,
} from './harness/alert-rows.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { startPublic, type TestPublic } from './harness/public.ts';
import { sendRaw, UNPARSABLE } from './harness/raw.ts';
import { until } from './harness/until.ts';
import { openTips, seedTips } from './harness/sealed.ts';

const PHONE = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36';

let database: TestDatabase;
let pages: TestPublic;
let db: DataSource;
let portrait: Buffer;
let addresses = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  pages = await startPublic(database.url, { TRUST_PROXY: '1' });
  db = pages.app.get(DataSource);
  portrait = await drawnPortrait();
});

afterAll(async () => {
  await pages?.close();
  await database?.drop();
});

interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function get(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Got> {
  const answer = await fetch(new URL(path, pages.url), {
    redirect: 'manual',
    headers: { 'user-agent': PHONE, 'accept-language': 'en', 'x-forwarded-for': freshAddress(), ...headers },
    ...init,
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** As it comes over the wire: `fetch` takes compression away. */
async function getRaw(path: string, headers: Record<string, string>, method = 'GET') {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request(new URL(path, pages.url), { method, headers: { 'x-forwarded-for': freshAddress(), ...headers } }, resolve)
    .on('error', reject)
    .end();
  const answer = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) };
}

const freshAddress = () => `203.0.113.${(addresses += 1)}`;

describe('the page of a live alert', () => {
  it('shows who is missing, where, what to do and how, in the language asked for', async () => {
    const { slug } = await seedAlert(db, {
      photo: portrait,
      callNumber: '0755-110 8888',
      instruction: 'do_not_approach',
    });
    const english = await get(`/a/${slug}`);
    expect(english.status).toBe(200);
    expect(english.text).toMatch(/^<!doctype html><html lang="en">/);
    for (const part of [
      PUBLIC_TEXTS.en.title,
      PUBLIC_TEXTS.en.body,
      'Lianhuashan Park',
      'Do not approach',
      'href="tel:07551108888"',
      `src="/a/${slug}/photo.jpg"`,
    ]) {
      expect(english.text).toContain(part);
    }
    const chinese = await get(`/a/${slug}?lang=zh-CN`);
    expect(chinese.text).toContain('<html lang="zh-CN">');
    expect(chinese.text).toContain(PUBLIC_TEXTS['zh-CN'].title);
    expect((await get(`/a/${slug}`, { 'accept-language': 'fr' })).text).toContain('<html lang="zh-CN">');
  });

  it('gives messengers a card with the photo', async () => {
    const { slug } = await seedAlert(db, { photo: portrait });
    const { text } = await get(`/a/${slug}`, { 'user-agent': 'WhatsApp/2.23.20.0' });
    expect(text).toContain(`<meta property="og:title" content="${PUBLIC_TEXTS.en.title}"/>`);
    expect(text).toContain(`<meta property="og:image" content="${pages.url}/a/${slug}/photo.jpg"/>`);
  });

  it('may be kept for half a minute, and is not sent again unchanged', async () => {
    const { slug } = await seedAlert(db);
    const first = await get(`/a/${slug}`);
    expect(first.headers.get('cache-control')).toBe('public, max-age=30, must-revalidate');
    const etag = first.headers.get('etag') ?? '';
    const again = await get(`/a/${slug}`, { 'if-none-match': `"other", W/${etag}` });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await get(`/a/${slug}?lang=zh`, { 'if-none-match': etag })).status).toBe(200);
    const byLink = await get(`/a/${slug}?f=x`);
    expect(byLink.headers.get('cache-control')).toBe('private, max-age=30, must-revalidate');
  });

  it('asks the database once for a herd', async () => {
    const { slug } = await seedAlert(db, { photo: portrait });
    const reads = jest.spyOn(pages.app.get(PublicAlerts, { strict: false }), 'bySlugs');
    const herd = await Promise.all(Array.from({ length: 200 }, () => get(`/a/${slug}`)));
    expect(new Set(herd.map(({ text }) => text)).size).toBe(1);
    expect(reads.mock.calls.length).toBeLessThanOrEqual(2);
    reads.mockRestore();
  });

  it('is compressed as the client takes it, each way under a tag of its own', async () => {
    const { slug } = await seedAlert(db);
    const raw = async (headers: Record<string, string>, method = 'GET') => {
      const answer = await getRaw(`/a/${slug}`, headers, method);
      return { ...answer, etag: answer.headers['etag'] ?? '' };
    };
    const plain = await raw({});
    const br = await raw({ 'accept-encoding': 'gzip, deflate, br' });
    const gzip = await raw({ 'accept-encoding': 'gzip' });
    expect(plain.body.toString()).toContain(PUBLIC_TEXTS['zh-CN'].title);
    expect([brotliDecompressSync(br.body), gunzipSync(gzip.body)]).toEqual([plain.body, plain.body]);
    expect(br.body.length).toBeLessThan(plain.body.length / 2);
    const told = [plain, br, gzip].map(({ headers }) => headers['content-encoding']);
    expect(told).toEqual([undefined, 'br', 'gzip']);
    expect(new Set([plain.etag, br.etag, gzip.etag]).size).toBe(3);
    for (const { headers } of [plain, br, gzip]) expect(headers['vary']).toBe('Accept-Language, Accept-Encoding');
    const same = await raw({ 'accept-encoding': 'br', 'if-none-match': br.etag });
    expect([same.status, same.body.length, same.etag]).toEqual([304, 0, br.etag]);
    expect((await raw({ 'accept-encoding': 'gzip', 'if-none-match': br.etag })).status).toBe(200);
    const head = await raw({ 'accept-encoding': 'br' }, 'HEAD');
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, `${br.body.length}`]);
  });

  it('has the headers of every other page, and is counted once', async () => {
    const { slug } = await seedAlert(db);
    const counted = async () => {
      const { text } = await get('/metrics');
      const line = /golden72_http_request_seconds_count\{method="GET",route="\/a\/:slug",status="200"\} (\d+)/;
      return Number(line.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    const page = await get(`/a/${slug}`);
    expect((await counted()) - before).toBe(1);
    const thanks = await get(`/a/${slug}/thanks`);
    for (const name of Object.keys(SECURITY_HEADERS)) expect(page.headers.get(name)).toBe(thanks.headers.get(name));
  });

  it('allows nothing but itself, tells nobody where its visitors came from, and is not indexed', async () => {
    const { slug } = await seedAlert(db);
    const { headers, text } = await get(`/a/${slug}`);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-robots-tag')).toContain('noindex');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('permissions-policy')).toMatch(/^geolocation=\(self\), camera=\(\)/);
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
    const outside = [...text.matchAll(/(?:src|href|action)="([^"]+)"/g)].map(([, address]) => address ?? '');
    for (const address of outside) expect(address).toMatch(/^(\/a\/|tel:|data:,)/);
  });

  it.each(['exercise', 'demo'] as const)('of an %s says so and calls nobody', async (mode) => {
    const { slug } = await seedAlert(db, { mode });
    const { text } = await get(`/a/${slug}`);
    expect(text).toContain('No child is missing');
    expect(text).not.toContain('href="tel:');
  });

  it('gives the photo as it is stored', async () => {
    const { slug } = await seedAlert(db, { photo: portrait });
    const answer = await fetch(`${pages.url}/a/${slug}/photo.jpg`);
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200,
      'image/jpeg',
      'public, max-age=30, must-revalidate',
    ]);
    expect((await sharp(Buffer.from(await answer.arrayBuffer())).metadata()).format).toBe('jpeg');
    const again = await get(`/a/${slug}/photo.jpg`, { 'if-none-match': answer.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
    const without = await seedAlert(db);
    expect((await get(`/a/${without.slug}/photo.jpg`)).status).toBe(404);
    expect((await get(`/a/${without.slug}`)).text).not.toContain('photo.jpg');
  });
});

describe('after the ending', () => {
  it('the page is gone, and thanks; the name, the photo and the old text went with it', async () => {
    const alert = await seedAlert(db, { photo: portrait });
    await endAlert(db, alert);
    for (const path of [`/a/${alert.slug}`, `/a/${alert.slug}?f=x&lang=en`, `/a/${alert.slug}/thanks`]) {
      const { status, text } = await get(path);
      expect(status).toBe(410);
      expect(text).toContain(ENDING_TEXTS.en.body);
      expect(text).not.toMatch(/Lin Xiaoman|raincoat|Lianhuashan|photo\.jpg|og:|<form/);
    }
    const photo = await get(`/a/${alert.slug}/photo.jpg`);
    expect([photo.status, photo.headers.get('cache-control')]).toEqual([410, 'no-store']);
    expect(photo.headers.get('content-type')).toContain('text/html');
  });

  it('shows to those who had the page open before, within a second', async () => {
    const alert = await seedAlert(db, { photo: portrait });
    const before = await get(`/a/${alert.slug}`);
    await endAlert(db, alert);
    const etag = { 'if-none-match': before.headers.get('etag') ?? '' };
    await until('the page is gone', async () => (await get(`/a/${alert.slug}`, etag)).status === 410);
    expect((await get(`/a/${alert.slug}/photo.jpg`)).status).toBe(410);
  });

  it('an alert whose time is over is shown as ended before anybody ended it', async () => {
    const alert = await seedAlert(db, { photo: portrait });
    await db.query(`UPDATE alerts SET expires_at = now() - interval '1 second' WHERE id = $1`, [alert.id]);
    const { status, text } = await get(`/a/${alert.slug}`);
    expect(status).toBe(410);
    expect(text).toContain('The search has ended');
    expect(text).not.toContain(PUBLIC_TEXTS.en.title);
    expect((await get(`/a/${alert.slug}/photo.jpg`)).status).toBe(410);
  });
});

describe('what is not there', () => {
  it('costs one statement at a time however many ask, and pushes no alert out of memory', async () => {
    const { slug } = await seedAlert(db);
    await get(`/a/${slug}`);
    const alerts = pages.app.get(PublicAlerts, { strict: false });
    const bySlugs = alerts.bySlugs.bind(alerts);
    let [running, most] = [0, 0];
    const asked: string[] = [];
    const reads = jest.spyOn(alerts, 'bySlugs').mockImplementation(async (slugs) => {
      asked.push(...slugs);
      most = Math.max(most, (running += 1));
      return bySlugs(slugs).finally(() => (running -= 1));
    });
    const strangers = Array.from({ length: 2_500 }, (_, n) => `/a/stranger-${n}`);
    const began = Date.now();
    for (let n = 0; n < strangers.length; n += 250) {
      const answers = await Promise.all([...strangers.slice(n, n + 250), `/a/${slug}`].map((path) => get(path)));
      expect(answers.map(({ status }) => status)).toEqual([...Array<number>(250).fill(404), 200]);
    }
    const seconds = (Date.now() - began) / 1000;
    expect(most).toBe(1);
    expect(reads.mock.calls.length).toBeLessThan(strangers.length / 2);
    expect(asked.filter((one) => one === slug).length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    reads.mockRestore();
  });

  it('and what has ended are kept for a second, too', async () => {
    const alert = await seedAlert(db);
    await endAlert(db, alert);
    const reads = jest.spyOn(pages.app.get(PublicAlerts, { strict: false }), 'bySlugs');
    for (const [path, status] of [
      [`/a/${alert.slug}`, 410],
      ['/a/nobody-made-this', 404],
    ] as const) {
      reads.mockClear();
      const began = performance.now();
      for (let n = 0; n < 20; n++) expect((await get(path)).status).toBe(status);
      const seconds = (performance.now() - began) / 1000;
      expect(reads.mock.calls.length).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    }
    reads.mockRestore();
  });

  it.each(['/a/nothing', '/a/nothing/photo.jpg', '/a/nothing/thanks', '/a/%00', '/a/..%2f', '/', '/nothing'])(
    '%s is a page that says so',
    async (path) => {
      const { status, text, headers } = await get(path);
      expect(status).toBe(404);
      expect(text).toContain('This page does not exist');
      expect(headers.get('cache-control')).toBe('no-store');
    },
  );

  it.each(['/a/%zz', `/a/${'a'.repeat(500)}`, `/a/${'a'.repeat(500)}/photo.jpg`])('nor is %s', async (path) => {
    const { status, text, headers } = await get(path);
    expect([400, 414]).toContain(status);
    expect(text).toContain('This page does not exist');
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect([headers.get('referrer-policy'), headers.get('cache-control')]).toEqual(['no-referrer', 'no-store']);
  });

  it.each(UNPARSABLE)('%s gets a page, too', async (_, bytes, status) => {
    const answer = await sendRaw(pages.url, bytes);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect(answer.body).toMatch(/^<!doctype html><html lang="zh-CN">.*<\/html>$/s);
  });

  it('a proposed alert has no page', async () => {
    const alert = await seedAlert(db);
    await db.query(`UPDATE alerts SET state = 'proposed', released_at = NULL, expires_at = NULL WHERE id = $1`, [
      alert.id,
    ]);
    expect((await get(`/a/${alert.slug}`)).status).toBe(404);
  });
});

describe('a forward link', () => {
  const linkOf = async (alert: SeededAlert) => {
    const ref = pages.app.get(RecipientReferences, { strict: false }).encode(alert.batchIds[0] ?? 0, 0);
    return pages.app.get(Forwards, { strict: false }).fromRecipient(ref);
  };

  const viewsOf = async (alert: SeededAlert) => {
    await pages.app.get(Views, { strict: false }).onApplicationShutdown();
    const [{ n }] = await db.query<[{ n: number }]>(
      'SELECT count(*) AS n FROM views v JOIN forwards f ON f.id = v.forward_id WHERE f.alert_id = $1',
      [alert.id],
    );
    return n;
  };

  it('counts people, each once', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await linkOf(alert);
    const me = { 'x-forwarded-for': freshAddress() };
    const { headers } = await get(`/a/${alert.slug}?f=${token}`, me);
    await get(`/a/${alert.slug}?f=${token}`, { ...me, 'if-none-match': headers.get('etag') ?? '' });
    expect(await viewsOf(alert)).toBe(1);
    await get(`/a/${alert.slug}?f=${token}`);
    expect(await viewsOf(alert)).toBe(2);
  });

  it('does not count machines, what is fetched ahead, or what is forged', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const other = await seedAlert(db, { batches: [10] });
    const { token } = await linkOf(alert);
    const path = `/a/${alert.slug}?f=${token}`;
    await get(path, { 'user-agent': 'facebookexternalhit/1.1' });
    await get(path, { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' });
    await get(path, { 'sec-purpose': 'prefetch;prerender' });
    await get(path, { purpose: 'prefetch' });
    await get(path, {}, { method: 'HEAD', headers: { 'user-agent': PHONE } });
    await get(`${path}x`);
    await get(`/a/${alert.slug}?f=${token}&f=${token}`);
    await get(`/a/${alert.slug}?f=%3Cscript%3E`);
    await get(`/a/${alert.slug}`);
    await get(`/a/${alert.slug}?f=${(await linkOf(other)).token}`);
    expect([await viewsOf(alert), await viewsOf(other)]).toEqual([0, 0]);
  });

  it('is counted also when the process is told to stop at that moment', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await linkOf(alert);
    const stopping = await startPublic(database.url, { TRUST_PROXY: '1' });
    const visits = Array.from({ length: 20 }, (_, n) =>
      fetch(`${stopping.url}/a/${alert.slug}?f=${token}`, {
        headers: { 'user-agent': PHONE, 'x-forwarded-for': `192.0.2.${n}` },
      }),
    );
    const answers = await Promise.all(visits);
    await stopping.close();
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await viewsOf(alert)).toBe(20);
  });

  it('counts a household whole, and a machine that invents browsers so often and no more', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await linkOf(alert);
    const address = freshAddress();
    const visit = (browser: string, from = address) =>
      get(`/a/${alert.slug}?f=${token}`, { 'user-agent': browser, 'x-forwarded-for': from });
    await visit(PHONE);
    await visit(PHONE.replace('Android 14', 'Android 15'));
    expect(await viewsOf(alert)).toBe(2);
    for (let n = 0; n < 200; n++) await visit(`${PHONE} ${n}`);
    expect(await viewsOf(alert)).toBeGreaterThan(10);
    expect(await viewsOf(alert)).toBeLessThanOrEqual(16);
    await visit(PHONE, '2001:db8:1:2::1');
    const before = await viewsOf(alert);
    for (let n = 2; n < 50; n++) await visit(PHONE, `2001:db8:1:2::${n}`);
    expect(await viewsOf(alert)).toBe(before);
  });

  it('makes a link under it for the page that is sent on', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await linkOf(alert);
    const child = await send(alert.slug, { parent: token });
    expect(child.status).toBe(201);
    expect(child.body['url']).toBe(`${pages.url}/a/${alert.slug}?f=${child.body['token']}`);
    const [row] = await db.query<{ depth: number }[]>(
      'SELECT depth FROM forwards WHERE alert_id = $1 AND parent_id IS NOT NULL',
      [alert.id],
    );
    expect(row).toEqual({ depth: 1 });
    const other = await seedAlert(db);
    expect((await send(other.slug, { parent: token })).body['code']).toBe('reference_invalid');
    expect((await send(alert.slug, { parent: 'forged' })).status).toBe(422);
    expect((await send(alert.slug, { parent: 1 })).status).toBe(400);
    await endAlert(db, alert);
    expect((await send(alert.slug, { parent: token })).status).toBe(410);
  });

  it('is made so often from one address and no more', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await linkOf(alert);
    const machine = freshAddress();
    const limiter = pages.app.get(ForwardLimiter, { strict: false });
    for (let n = 0; n < FORWARDS_PER_WINDOW; n += 1) await limiter.consume(machine);
    const refused = await send(alert.slug, { parent: token }, machine);
    expect([refused.status, refused.body['code']]).toEqual([429, 'too_many_forwards']);
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect((await send(alert.slug, { parent: token })).status).toBe(201);
  });

  async function send(slug: string, body: unknown, address = freshAddress()) {
    const answer = await fetch(`${pages.url}/a/${slug}/forward`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
      body: JSON.stringify(body),
    });
    const retryAfter = answer.headers.get('retry-after');
    return { status: answer.status, body: (await answer.json()) as Record<string, string>, retryAfter };
  }
});

describe('what another site’s page sends', () => {
  const post = (path: string, headers: Record<string, string>, body: string) =>
    fetch(`${pages.url}${path}`, {
      method: 'POST',
      headers: { 'x-forwarded-for': freshAddress(), ...headers },
      body,
      redirect: 'manual',
    });
  const FORM = { 'content-type': 'multipart/form-data; boundary=x' };
  const TIP = '--x\r\nContent-Disposition: form-data; name="words"\r\n\r\nseen\r\n--x--\r\n';
  const tips = async (alert: SeededAlert) => (await openTips(db, alert.caseId)).length;

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ 'sec-fetch-site': 'cross-site', origin: 'null' }],
    [{ origin: 'https://elsewhere.example' }],
  ])('is refused: %j', async (headers: Record<string, string>) => {
    const alert = await seedAlert(db);
    const answer = await post(`/a/${alert.slug}/sightings`, { ...FORM, ...headers }, TIP);
    expect([answer.status, await tips(alert)]).toEqual([403, 0]);
    const json = { 'content-type': 'application/json', ...headers };
    expect((await post(`/a/${alert.slug}/forward`, json, '{"parent":"x"}')).status).toBe(403);
  });

  it.each([
    [{}],
    [{ origin: 'null' }],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }],
    [{ 'sec-fetch-site': 'none' }],
  ])('is not: our own page’s form with %j', async (headers: Record<string, string>) => {
    const alert = await seedAlert(db);
    const answer = await post(`/a/${alert.slug}/sightings`, { ...FORM, ...headers }, TIP);
    expect([answer.status, await tips(alert)]).toEqual([303, 1]);
  });
});

describe('the form', () => {
  const send = (slug: string, fields: Record<string, string | Blob>, address = freshAddress()) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    return get(
      `/a/${slug}/sightings?lang=en`,
      {},
      {
        method: 'POST',
        body,
        headers: { 'user-agent': PHONE, 'x-forwarded-for': address },
      },
    );
  };

  const sightingsOf = (alert: SeededAlert) => openTips(db, alert.caseId);

  it('sends a sighting without any script, and thanks', async () => {
    const alert = await seedAlert(db);
    const { status, headers } = await send(alert.slug, {
      words: 'A child in a yellow raincoat\r\nat the bus stop',
      place: '',
      lon: '',
      lat: '',
      key: '',
      ago: '30',
      contact: '',
      photo: new Blob([], { type: 'application/octet-stream' }),
    });
    expect([status, headers.get('location')]).toEqual([303, `/a/${alert.slug}/thanks?lang=en`]);
    const [row] = await sightingsOf(alert);
    expect(row).toMatchObject({
      source: 'page',
      words: 'A child in a yellow raincoat\nat the bus stop',
      place: null,
      contact: null,
      point: null,
      photo: null,
    });
    const minutes = (Number(row?.['received_at']) - Number(row?.['observed_at'])) / 60_000;
    expect(Math.round(minutes)).toBe(30);
    const thanks = await get(headers.get('location') ?? '');
    expect(thanks.status).toBe(200);
    expect(thanks.text).toContain('Thank you');
  });

  it('takes a photo and a position, and a second sending of the same form for the first', async () => {
    const alert = await seedAlert(db);
    const fields = {
      words: 'x',
      lon: '114.05512',
      lat: '22.54001',
      key: '4b6b8c1e-0000-4000-8000-000000000001',
      ago: '60',
      photo: new Blob([new Uint8Array(portrait)], { type: 'image/png' }),
    };
    expect((await send(alert.slug, fields)).status).toBe(303);
    expect((await send(alert.slug, fields)).status).toBe(303);
    const rows = await sightingsOf(alert);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ point: [114.05512, 22.54001] });
    expect((await sharp(rows[0]?.photo ?? undefined).metadata()).format).toBe('jpeg');
  });

  it('does not look at what it has not asked for, however deep', async () => {
    const alert = await seedAlert(db);
    const key = '4b6b8c1e-0000-4000-8000-000000000002';
    const post = (more: string) =>
      get(
        `/a/${alert.slug}/sightings`,
        {},
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-forwarded-for': freshAddress() },
          body: `{"words":"x","key":"${key}"${more}}`,
        },
      );
    expect((await post(`,"more":${'['.repeat(60_000)}${']'.repeat(60_000)}`)).status).toBe(303);
    expect((await post('')).status).toBe(303);
    expect((await post(',"place":"elsewhere"')).status).toBe(422);
    expect(await sightingsOf(alert)).toHaveLength(1);
  });

  it('takes words that nobody can see for none, and lets none turn others round', async () => {
    const alert = await seedAlert(db);
    const empty = await send(alert.slug, { words: '\u200b\u2060\u202e' });
    expect([empty.status, empty.text.includes('Please write what you saw')]).toEqual([422, true]);
    expect((await send(alert.slug, { words: 'call \u202a110\u202c', place: '\u200b' })).status).toBe(303);
    expect(await sightingsOf(alert)).toMatchObject([{ words: 'call 110', place: null }]);
  });

  it('comes back with what was written when something is wrong, and keeps nothing', async () => {
    const alert = await seedAlert(db);
    const written = { words: 'seen "here" & there', place: 'by the <b>gate</b>', ago: '60' };
    const photo = await send(alert.slug, { ...written, photo: new Blob(['PK']) });
    expect(photo.status).toBe(422);
    expect(photo.text).toContain('not a picture that can be read');
    expect(photo.text).toContain('seen &quot;here&quot; &amp; there</textarea>');
    expect(photo.text).toContain('value="by the &lt;b>gate&lt;/b>"');
    expect(photo.text).toContain('<option value="60" selected>');
    const empty = await send(alert.slug, { ...written, words: '  ' });
    expect([empty.status, empty.text.includes('Please write what you saw')]).toEqual([422, true]);
    const long = await send(alert.slug, { ...written, words: 'x'.repeat(2001) });
    expect([long.status, long.text.includes('That is too long')]).toEqual([422, true]);
    const huge = await send(alert.slug, { ...written, photo: new Blob([new Uint8Array(13 * 1024 * 1024)]) });
    expect([huge.status, huge.text.includes('The photo is too large')]).toEqual([413, true]);
    expect(huge.text).toContain('seen &quot;here&quot; &amp; there</textarea>');
    expect(await sightingsOf(alert)).toEqual([]);
  });

  it('ignores nonsense in what only the script fills in, and refuses what is no form', async () => {
    const alert = await seedAlert(db);
    expect((await send(alert.slug, { words: 'x', lon: 'NaN', lat: '1e9', ago: '-5', key: '../' })).status).toBe(303);
    expect((await sightingsOf(alert))[0]).toMatchObject({ point: null, observed_at: null });
    const json = await get(
      `/a/${alert.slug}/sightings`,
      { 'content-type': 'application/json' },
      { method: 'POST', body: '{' },
    );
    expect(json.status).toBeGreaterThanOrEqual(400);
    expect(json.status).toBeLessThan(500);
    const broken = await fetch(`${pages.url}/a/${alert.slug}/sightings`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\nContent-Disposition: form-data; name="words"\r\n\r\nhal',
    });
    expect(broken.status).toBe(400);
    expect(await sightingsOf(alert)).toHaveLength(1);
  });

  it.each(['%00', '..%2f..%2fx%00%0d%0a', '%ed%a0%80x', 'a'.repeat(65)])('is not there at %s', async (slug) => {
    const body = new FormData();
    body.set('words', 'Seen at the bus stop.');
    const { status } = await fetch(`${pages.url}/a/${slug}/sightings`, { method: 'POST', body });
    expect([400, 404]).toContain(status);
  });

  it('is closed to a machine, and after the ending', async () => {
    const alert = await seedAlert(db);
    const address = freshAddress();
    for (let n = 0; n < 30; n += 1) expect((await send(alert.slug, { words: `${n}` }, address)).status).toBe(303);
    const refused = await send(alert.slug, { words: 'once more' }, address);
    expect([refused.status, refused.text.includes('Please call instead')]).toEqual([429, true]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await endAlert(db, alert);
    const late = await send(alert.slug, { words: 'too-late-words' });
    expect([late.status, late.text.includes('too-late-words')]).toEqual([410, false]);
    expect(await sightingsOf(alert)).toHaveLength(30);
  });
});

describe('attacks', () => {
  it('a script in any text is shown, not run', async () => {
    const script = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
    const texts = { title: script, body: script };
    const alert = await seedAlert(db, {
      texts: { 'zh-CN': texts, en: texts },
      place: { 'zh-CN': script, en: script },
      callNumber: `110${script}`,
    });
    const live = await get(`/a/${alert.slug}?lang=${encodeURIComponent(script)}&f=${encodeURIComponent(script)}`);
    const body = new FormData();
    for (const name of ['place', 'contact', 'ago', 'lon', 'key']) body.set(name, script);
    const form = await get(`/a/${alert.slug}/sightings`, {}, { method: 'POST', body });
    const thanks = await get(`/a/${alert.slug}/thanks`);
    await endAlert(db, alert, { texts: { 'zh-CN': texts, en: texts } });
    const over = await get(`/a/${alert.slug}/thanks?${encodeURIComponent(script)}`);
    for (const { text } of [live, form, thanks, over]) {
      expect(text).not.toContain('<script>alert');
      expect(text).not.toContain('<img src=x');
      expect(text).toContain('&lt;script');
      expect(text).not.toMatch(/="[^"]*"><script>alert/);
    }
  });

  it('nothing of the private case is ever shown', async () => {
    const alert = await seedAlert(db, { photo: portrait, batches: [1] });
    await seedTips(db, alert.caseId, [{ words: CANARY }]);
    const paths = [
      `/a/${alert.slug}`,
      `/a/${alert.slug}?lang=zh`,
      `/a/${alert.slug}/photo.jpg`,
      `/a/${alert.slug}/thanks`,
    ];
    const live = await Promise.all(paths.map((path) => get(path)));
    await endAlert(db, alert);
    const over = await Promise.all(paths.map((path) => get(path)));
    const rest = await Promise.all(['/metrics', '/healthz', '/readyz', '/nothing'].map((path) => get(path)));
    for (const { text, headers } of [...live, ...over, ...rest]) {
      expect(text).not.toContain(CANARY);
      expect(text).not.toContain('runaway');
      expect(text).not.toContain(alert.caseId);
      expect(JSON.stringify([...headers])).not.toContain(CANARY);
    }
  });
});
