import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

interface Asked {
  readonly method: 'PUT' | 'POST';
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly payload: string;
}

interface Answered {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: unknown;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const POSITION = { method: 'PUT', url: '/v1/devices/me/position' } as const;
const RECEIPTS = { method: 'POST', url: '/v1/receipts' } as const;
const place = JSON.stringify({ place: { lon: 114.06, lat: 22.54, datum: 'wgs84' } });
const nobody = { ...JSON_TYPE, authorization: `Bearer g72d_${'A'.repeat(43)}` };

const ASKED: readonly (readonly [string, Asked])[] = [
  ['whoever shows nothing', { ...POSITION, headers: JSON_TYPE, payload: place }],
  ['whoever is not known', { ...POSITION, headers: nobody, payload: place }],
  ['a body that is no JSON', { ...RECEIPTS, headers: JSON_TYPE, payload: '{"items":' }],
  ['an empty body', { ...RECEIPTS, headers: JSON_TYPE, payload: '' }],
  ['a body that reaches for the prototype', { ...RECEIPTS, headers: JSON_TYPE, payload: '{"__proto__":{"a":1}}' }],
  ['a body of another form', { ...RECEIPTS, headers: JSON_TYPE, payload: '{"items":[{"ref":7}]}' }],
  ['a body that is too large', { ...RECEIPTS, headers: JSON_TYPE, payload: `"${'a'.repeat(300_000)}"` }],
  ['plain text', { ...RECEIPTS, headers: { 'content-type': 'text/plain' }, payload: 'items' }],
  ['a form', { ...RECEIPTS, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: 'a=b' }],
  ['what can be done', { ...RECEIPTS, headers: JSON_TYPE, payload: '{"items":[]}' }],
  ['an address with a query', { ...RECEIPTS, url: '/v1/receipts?a=b', headers: JSON_TYPE, payload: '{"items":[]}' }],
];

/** What is of one answer and no other, or of the connection. */
const OWN = ['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'];

describe('the lane of direct routes', () => {
  let database: TestDatabase;
  let api: TestApi;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const known = ({ headers, body, ...rest }: Answered) => ({
    ...rest,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.includes(name))),
    body: { ...(body as object), instance: undefined },
  });

  const byLane = async ({ method, url, headers, payload }: Asked): Promise<Answered> => {
    const answer = await fetch(`${api.url}${url}`, { method, headers, body: payload });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() };
  };

  /** Past the listener: by Nest's middleware and hooks. */
  const byNest = async (asked: Asked): Promise<Answered> => {
    const answer = await api.app.inject(asked);
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  };

  it.each(ASKED)('answers %s as Nest would', async (_, asked) => {
    expect(known(await byLane(asked))).toEqual(known(await byNest(asked)));
  });

  it('counts what it serves', async () => {
    const served = async () => {
      const samples = await (await fetch(`${api.url}/metrics`)).text();
      const counts = samples.matchAll(/^golden72_http_request_seconds_count\{.*route="\/v1\/receipts".*\} (\d+)$/gm);
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const before = await served();
    await byLane({ ...RECEIPTS, headers: JSON_TYPE, payload: '{}' });
    expect(await served()).toBe(before + 1);
  });
});
