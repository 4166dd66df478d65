import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type TestApi } from '../harness/api.ts';
import { createTestDatabase, type TestDatabase } from '../harness/database.ts';
import { redisUrl } from '../harness/env.ts';
import { device, json, signIn, told } from './staff.ts';
import type { Thing } from './things.ts';
import { makeWorld, type World } from './world.ts';

/** Names that answers give: none can be guessed from another, and none counts anything. */
let database: TestDatabase;
let api: TestApi;
let world: World;
const live: Thing[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, TRUST_PROXY: '1', RATE_LIMIT_FACTOR: '1000' });
  const settings = { NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: database.url, REDIS_URL: redisUrl() };
  world = await makeWorld(api.url, settings);
  for (let n = 0; n < 6; n += 1) live.push(await world.make('home', 'live'));
}, 120_000);

afterAll(async () => {
  await world?.close();
  await api?.close();
  await database?.drop();
});

/** RFC 9562 §5.4: version 4, whose 122 bits are random. */
const RANDOM_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** How many of the bytes of neighbours are the same at the same place, of all pairs: one in 256 by chance. */
function likeness(names: readonly Buffer[]): number {
  const pairs = names.slice(1).map((name, n) => [...name].filter((byte, at) => byte === names[n]?.[at]).length);
  return pairs.reduce((sum, each) => sum + each, 0) / pairs.length / (names[0]?.length ?? 1);
}

describe('names that are given out', () => {
  it('are random UUIDs where they stand for a thing', () => {
    const ids = live.flatMap(({ caseId, photoId, alertId, sightingId }) => [caseId, photoId, alertId, sightingId]);
    expect(ids.filter((id) => !RANDOM_UUID.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('have 72 random bits in an alert’s link', () => {
    const slugs = live.map(({ slug }) => Buffer.from(slug, 'base64url'));
    expect(slugs.every((slug) => slug.length >= 9)).toBe(true);
    expect(likeness(slugs)).toBeLessThan(0.1);
  });

  it('do not count recipients or links, nor show which came after which', () => {
    const refs = live.map(({ ref }) => Buffer.from(ref, 'base64url'));
    const forwards = live.map(({ forward }) => Buffer.from(forward, 'base64url'));
    expect([...refs, ...forwards].every((name) => name.length === 16)).toBe(true);
    expect(likeness(refs)).toBeLessThan(0.1);
    expect(likeness(forwards)).toBeLessThan(0.1);
  });

  it('have 256 random bits where they are a credential', async () => {
    const phones = await Promise.all([1, 2, 3].map((n) => device(world.client, `phone ${n}`, [114.06, 22.54])));
    const secrets = phones.map(({ credential }) => credential['authorization']!.replace('Bearer g72d_', ''));
    const officer = { ...world.caller('home desk') };
    await signIn(world.client, officer);
    const cookies = officer.credential['cookie']!.split('=').slice(1).join('=');
    for (const secret of [...secrets, cookies])
      expect(Buffer.from(secret, 'base64url').length).toBeGreaterThanOrEqual(32);
  });

  it('are never the database’s own numbers', async () => {
    const { credential } = world.caller('home verifier');
    const [{ caseId, slug, alertId }] = live as [Thing];
    const paths = [
      ...[
        '/v1/session',
        '/v1/sessions',
        '/v1/cases',
        '/v1/audit',
        '/v1/reviews',
        '/v1/asks',
        '/v1/grants',
        '/v1/retention',
      ],
      ...['', '/funnel', '/sightings', '/preview'].map((part) => `/v1/cases/${caseId}${part}`),
      ...[`/v1/alerts/${slug}`, `/v1/alerts/${alertId}/changes`],
    ];
    for (const path of paths) {
      const answer = await world.client.send(json('GET', path, undefined, credential));
      expect([path, numbersNamed(told<unknown>(answer, 200, 409, 422))]).toEqual([path, []]);
    }
  });

  it('do not show by an officer’s id whether there is such an officer, to whoever has no part in the case', async () => {
    const { credential } = world.caller('foreign verifier');
    const path = `/v1/cases/${live[0]!.caseId}/conflicts`;
    const said = [world.caller('home desk').login!.id, randomUUID()].map(async (officerId) => {
      const answer = await world.client.send(json('POST', path, { officerId }, credential));
      return told<{ code: string }>(answer, 404).code;
    });
    expect(await Promise.all(said)).toEqual(['case_not_found', 'case_not_found']);
  });

  it('end nobody else’s session', async () => {
    const [mine, theirs] = [world.caller('home verifier'), world.caller('home liaison')];
    const listed = await world.client.send(json('GET', '/v1/sessions', undefined, theirs.credential));
    const { sessions } = told<{ sessions: { id: string }[] }>(listed, 200);
    const path = `/v1/sessions/${sessions[0]!.id}`;
    expect((await world.client.send(json('DELETE', path, undefined, mine.credential))).status).toBe(404);
    expect((await world.client.send(json('GET', '/v1/session', undefined, theirs.credential))).status).toBe(200);
  });
});

/** Keys that name something by a number: an id that counts. A position in an audit chain is one on purpose. */
function numbersNamed(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => numbersNamed(each, path));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const isName = typeof each === 'number' && /(?:^|[a-z])id$|Id$|_id$/.test(key);
    return isName ? [`${path}.${key}`] : numbersNamed(each, `${path}.${key}`);
  });
}
