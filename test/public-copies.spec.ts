import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { DataSource } from 'typeorm';
import { DISPATCH_JOBS, Ending, PublicCopies } from '#dispatch';
import { Metrics, Transactions } from '#platform';
import { certificateIn } from '../apps/fcm-simulator/src/certificate.ts';
import { AlertsApi } from '../apps/api/src/alerts/alerts.api.ts';
import { drawnPortrait, ENDING_TEXTS, endAlert, PUBLIC_TEXTS, seedAlert } from './harness/alert-rows.ts';
import { startApi, type TestApi } from './harness/api.ts';
import { TestCity } from './harness/city.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { startPublic, type TestPublic } from './harness/public.ts';
import { until } from './harness/until.ts';

/** What an ending has to take back within a minute. */
const WITHIN_S = 60;
/** How old what we serve may be already: a page is read every second, and for so long while the database is away. */
const ORIGIN_STALE_S = 20 + 1;

const FOUND = { kind: 'found', ending: 'ended', familyTold: false, outcome: 'safe', cause: 'direct' } as const;

describe('a copy of a public answer', () => {
  let database: TestDatabase;
  let site: TestPublic;
  let api: TestApi;
  let db: DataSource;
  let portrait: Buffer;

  beforeAll(async () => {
    database = await createTestDatabase();
    site = await startPublic(database.url);
    api = await startApi({ databaseUrl: database.url, modules: [AlertsApi] });
    db = site.app.get(DataSource);
    portrait = await drawnPortrait();
  });

  afterAll(async () => {
    await api?.close();
    await site?.close();
    await database?.drop();
  });

  /** Everything we serve of an alert to anybody. */
  const addressesOf = (slug: string) => [
    ...['', '?lang=en', '?lang=zh', '?f=x', '/photo.jpg', '/thanks'].map((rest) => `${site.url}/a/${slug}${rest}`),
    `${api.url}/v1/alerts/${slug}`,
  ];

  /** Seconds for which the most obliging cache may serve an answer (RFC 9111): one that knows how to go on without us, too. */
  function keptFor(headers: Headers): number {
    const directives = (headers.get('cache-control') ?? '').split(',').map((one) => one.trim().toLowerCase());
    if (directives.includes('no-store')) return 0;
    const seconds = (name: string) =>
      Number(/\d+/.exec(directives.find((one) => one.startsWith(`${name}=`)) ?? '')?.[0] ?? 0);
    // Without a time a cache makes one up; without must-revalidate it may serve what is stale while we are away.
    if (!directives.some((one) => /^(s-)?max-age=/.test(one)) || !directives.includes('must-revalidate'))
      return Infinity;
    if (directives.includes('immutable') || headers.has('expires')) return Infinity;
    return (
      Math.max(seconds('max-age'), seconds('s-maxage')) + seconds('stale-while-revalidate') + seconds('stale-if-error')
    );
  }

  it('is gone a minute after the ending, wherever it is kept', async () => {
    const { slug } = await seedAlert(db, { photo: portrait });
    for (const address of addressesOf(slug)) {
      const answer = await fetch(address);
      await answer.arrayBuffer();
      expect([address, answer.status]).toEqual([address, 200]);
      // A shared cache tells the next one how old its copy is, so that times do not add up (RFC 9111 §5.1).
      expect(ORIGIN_STALE_S + keptFor(answer.headers)).toBeLessThan(WITHIN_S);
      expect(keptFor(answer.headers)).toBeLessThanOrEqual(30);
    }
  });

  it('has nothing of the child in it once the alert has ended', async () => {
    const alert = await seedAlert(db, { photo: portrait });
    await endAlert(db, alert, { texts: ENDING_TEXTS });
    const names = Object.values(PUBLIC_TEXTS).flatMap(({ title, body }) => [title, body]);
    for (const address of addressesOf(alert.slug)) {
      const answer = await fetch(address);
      const said = await answer.text();
      for (const name of names) expect(said).not.toContain(name);
      expect(answer.headers.get('content-type')).not.toContain('image');
      expect(said).not.toMatch(/og:image|photo\.jpg/);
    }
  });

  it('is known by the alert’s key to a network before us', async () => {
    const { slug } = await seedAlert(db, { photo: portrait });
    for (const address of addressesOf(slug).filter((one) => !one.endsWith('/thanks'))) {
      const { headers } = await fetch(address);
      expect([address, headers.get('surrogate-key'), headers.get('cache-tag')]).toEqual([
        address,
        `alert-${slug}`,
        `alert-${slug}`,
      ]);
    }
  });

  it('is kept by no service worker and no application cache', async () => {
    // Whoever adds one has to keep the same half minute in it, and to test that here.
    const sources = await readdir(join(import.meta.dirname, '../apps/public'), { recursive: true });
    for (const name of sources.filter((one) => /\.(tsx?|js|html|webmanifest)$/.test(one) && !one.includes('.spec.'))) {
      const source = await readFile(join(import.meta.dirname, '../apps/public', name), 'utf8');
      expect([name, /serviceWorker|caches\.(open|match)|immutable|manifest\.json/.test(source)]).toEqual([name, false]);
    }
  });
});

describe('a network before us', () => {
  let dir: string;
  let network: Server;
  let city: TestCity;
  let asked: { key: string | undefined; authorization: string | undefined; body: unknown }[] = [];
  let failures = 0;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'copies-'));
    const certificate = await certificateIn(dir);
    network = createServer(certificate, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (failures-- > 0) return void response.writeHead(503).end();
        const { 'surrogate-key': key, authorization } = request.headers;
        asked.push({ key: String(key), authorization, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown });
        response.end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(network, 'listening');
    const { port } = network.address() as AddressInfo;
    const url = `https://localhost:${port}/purge`;
    city = await TestCity.start(
      {},
      {
        CDN_PURGE_URL: url,
        CDN_PURGE_TOKEN: 'a token',
        OUTBOUND_ALLOW: `localhost:${port}`,
        OUTBOUND_CA: certificate.caPath,
      },
    );
  }, 60_000);

  afterAll(async () => {
    await city?.close();
    network?.closeAllConnections();
    network?.close();
    await rm(dir, { recursive: true });
  });

  beforeEach(() => {
    asked = [];
    failures = 0;
  });

  it('is asked for an alert’s copies when it ends, at once and when the page has noticed', async () => {
    const { alertId, slug } = await city.release();
    expect(asked).toEqual([]);
    await city.worker.get(Ending).end(city.liaison, alertId, FOUND);
    await until('it was asked twice', () => asked.length === 2);
    const purge = { key: `alert-${slug}`, authorization: 'Bearer a token', body: { tags: [`alert-${slug}`] } };
    expect(asked).toEqual([purge, purge]);
  });

  it('is asked again when it fails', async () => {
    failures = 2;
    await city.worker.get(Transactions).run((unit) => city.worker.get(PublicCopies).purge(unit, 'some-slug'));
    await until('it was asked', () => asked.length === 2, 30_000);
    expect(asked[0]?.key).toBe('alert-some-slug');
  });

  it('is given up when a last try fails, and counted then', async () => {
    const { name, queue } = DISPATCH_JOBS.purgeCopies;
    const queued = city.worker.get<Queue>(getQueueToken(queue), { strict: false });
    const givenUp = async () => {
      const text = await city.worker.get(Metrics, { strict: false }).registry.metrics();
      return Number(/^golden72_jobs_given_up_total\{queue="purge"\} (\d+)$/m.exec(text)?.[1]);
    };
    const before = await givenUp();
    failures = 2;
    await queued.add(name, { slug: 'last' }, { attempts: 1 });
    await queued.add(name, { slug: 'again' });
    await queued.add(name, { malformed: true });
    await until('one is asked for', () => asked.length === 2);
    expect(asked[0]?.key).toBe('alert-again');
    expect((await givenUp()) - before).toBe(2);
  });

  it('is not asked for what was rolled back', async () => {
    const failing = city.worker.get(Transactions).run(async (unit) => {
      await city.worker.get(PublicCopies).purge(unit, 'rolled-back');
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    const [row] = await city.source.query<[{ waiting: number }]>('SELECT count(*)::int AS waiting FROM outbox');
    expect([row.waiting, asked]).toEqual([0, []]);
  });
});
