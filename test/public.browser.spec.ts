import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { DataSource } from 'typeorm';
import { RecipientReferences } from '#dispatch';
import { Forwards } from '#engagement';
import {
  drawnPortrait,
  ENDING_TEXTS,
  endAlert,
  PUBLIC_TEXTS,
  type SeededAlert,
  seedAlert,
} from './harness/alert-rows.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { startPublic, type TestPublic } from './harness/public.ts';
import { until } from './harness/until.ts';
import { openTips } from './harness/sealed.ts';

/** A headless browser that looks, to a server, like the person's that it plays. */
const PHONE = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36';
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];

let database: TestDatabase;
let pages: TestPublic;
let db: DataSource;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  pages = await startPublic(database.url);
  db = pages.app.get(DataSource);
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await pages?.close();
  await database?.drop();
});

beforeEach(async () => {
  context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    userAgent: PHONE,
    locale: 'en-GB',
    permissions: ['clipboard-read', 'clipboard-write', 'geolocation'],
    geolocation: { longitude: 114.05512, latitude: 22.54001 },
  });
  page = await context.newPage();
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('410')) complaints.push(message.text());
  });
});

afterEach(async () => {
  await context.close();
});

const viewsOf = async (alert: SeededAlert) =>
  (
    await db.query<[{ n: number }]>(
      'SELECT count(*) AS n FROM views v JOIN forwards f ON f.id = v.forward_id WHERE f.alert_id = $1',
      [alert.id],
    )
  )[0].n;

describe('a stranger with a forward link', () => {
  it('sees who is missing, sends it on, tells what they saw, and in the end finds a thank you and no name', async () => {
    const alert = await seedAlert(db, { photo: await drawnPortrait(), batches: [10] });
    const ref = pages.app.get(RecipientReferences, { strict: false }).encode(alert.batchIds[0] ?? 0, 0);
    const { url, token } = await pages.app.get(Forwards, { strict: false }).fromRecipient(ref);

    await page.goto(url);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(PUBLIC_TEXTS.en.title);
    expect(await page.locator('time').textContent()).toBe('2 hours ago');
    const call = page.getByRole('link', { name: 'Call 110' });
    expect(await call.getAttribute('href')).toBe('tel:110');
    const [top = 0, height = 0] = await call.boundingBox().then((box) => [box?.y, box?.height]);
    expect(top + height).toBeLessThanOrEqual(844);
    await page.getByRole('img', { name: 'Photo of the missing child' }).waitFor();
    const decoded = `document.images[0].decode().then(() => document.images[0].naturalWidth)`;
    expect(await page.evaluate(decoded)).toBeGreaterThan(500);
    await until('the view is counted', async () => (await viewsOf(alert)) === 1);

    await page.getByRole('button', { name: 'Share' }).click();
    await page.getByText('Link copied').waitFor();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(copied).toMatch(new RegExp(`^${pages.url}/a/${alert.slug}\\?f=[\\w-]{22}$`));
    expect(copied).not.toContain(token);
    const friend = await browser.newContext({ userAgent: `${PHONE} MicroMessenger/8.0`, locale: 'zh-CN' });
    const friendsPage = await friend.newPage();
    await friendsPage.goto(copied);
    expect(await friendsPage.getByRole('heading', { level: 1 }).textContent()).toBe(PUBLIC_TEXTS['zh-CN'].title);
    await friend.close();
    await until('the view of the friend is counted', async () => (await viewsOf(alert)) === 2);

    await page.getByLabel('What did you see?').fill('A child in a yellow raincoat at the bus stop');
    await page.getByRole('button', { name: 'Add where I am now' }).click();
    await page.getByText('Your position will be sent along').waitFor();
    await page.getByLabel('When?').selectOption('5 minutes ago');
    await page
      .getByLabel('Photo')
      .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: await drawnPortrait() });
    await page.getByRole('button', { name: 'Send to the police' }).click();
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    const tips = await openTips(db, alert.caseId);
    expect(tips).toEqual([
      expect.objectContaining({
        source: 'page',
        words: 'A child in a yellow raincoat at the bus stop',
        point: [114.05512, expect.any(Number)],
        photo: expect.any(Buffer),
      }),
    ]);
    expect(complaints).toEqual([]);

    await endAlert(db, alert);
    await page.goto(url);
    await until('the page is gone', async () => (await page.reload())?.status() === 410);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(ENDING_TEXTS.en.title);
    expect(await page.content()).not.toMatch(/Lin Xiaoman|林小满|raincoat|photo\.jpg/);
    expect(await page.getByRole('img').count()).toBe(0);
    expect(complaints).toEqual([]);
  }, 60_000);

  it('runs nothing that a text brings along', async () => {
    const attack = '"><img src=x onerror="document.title=1"><script>document.title=1</script>';
    const texts = { title: attack, body: attack };
    const { slug } = await seedAlert(db, {
      texts: { 'zh-CN': texts, en: texts },
      place: { 'zh-CN': attack, en: attack },
    });
    await page.goto(`${pages.url}/a/${slug}`);
    expect(await page.title()).toBe(attack);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(attack);
    expect(await page.locator('img, script:not(:last-child)').count()).toBe(0);
    // What gets past the escaping some day still meets the policy.
    await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="document.title=1">')`);
    await until('the policy is met', () => complaints.some((told) => told.includes('Content Security Policy')));
    expect(await page.title()).toBe(attack);
  });

  it.each([320, 390, 1280])('at %i pixels nothing is cut off', async (width) => {
    const { slug } = await seedAlert(db, { photo: await drawnPortrait(), callNumber: '+86 0755 8888 1234' });
    await page.setViewportSize({ width, height: 800 });
    for (const path of [`/a/${slug}`, `/a/${slug}?lang=zh-CN`, `/a/${slug}/thanks`, '/a/none']) {
      await page.goto(`${pages.url}${path}`);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    }
  });
});
