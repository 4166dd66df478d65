import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../harness/database.ts';
import { emptyRedis } from '../harness/env.ts';
import { mutated } from './mutations.ts';
import { type Running, startProcesses } from './processes.ts';
import { Scan } from './scan.ts';
import { besiege, type Report } from './siege.ts';
import { write } from './values.ts';
import { makeWorld, type World } from './world.ts';

const REQUESTS = 20_000;
/** Fixed, so that what is found is found again. */
const SEED = 72;
const WITHIN_MS = 600_000;

describe('mutated requests', () => {
  let database: TestDatabase;
  let running: Running;
  let world: World;
  let report: Report;

  beforeAll(async () => {
    database = await createTestDatabase();
    const root = join(import.meta.dirname, '../..');
    running = await startProcesses({ root, databaseUrl: database.url, redisUrl: await emptyRedis() });
    world = await makeWorld(running.apiUrl, running.env);
    const secrets = { 'the secret key': running.env['SECRET_KEY'] ?? '', 'the database’s address': database.url };
    report = await besiege(world, { requests: REQUESTS, seed: SEED, publicUrl: running.publicUrl, secrets });
  }, WITHIN_MS);

  afterAll(async () => {
    await world?.close();
    await running?.close();
    await database?.drop();
  });

  it('break nothing, see nothing of another agency, and are told nothing of the inside', () => {
    expect(report.examples).toEqual([]);
    expect(report.faults).toEqual({ fiveHundred: 0, crossAgencyRead: 0, leak: 0, malformed: 0 });
    expect(report.requests).toBe(REQUESTS);
  });

  it('reach every route, and every route that can say yes says it', () => {
    expect(report.statuses.size).toBe(report.routes);
    const never = [...report.statuses].filter(
      ([, by]) => ![...by.keys()].some((status) => status >= 200 && status < 400),
    );
    expect(never.map(([route]) => route).toSorted()).toEqual(NEVER_YES);
  });
});

/** What these ask for, this world does not have: an identity provider, an invitation, a second factor, another session. */
const NEVER_YES = [
  'DELETE /v1/second-factor',
  'DELETE /v1/sessions/{id}',
  'GET /v1/alerts/{id}/changes/{changeId}/preview',
  'GET /v1/oidc/step-up',
  'GET /v1/oidc/{agencyId}',
  'GET /v1/oidc/{agencyId}/callback',
  'POST /v1/cases/{id}/close',
  'POST /v1/invitations/accept',
  'POST /v1/oidc/code',
  'POST /v1/second-factor/confirm',
  'POST /v1/second-factor/recovery-codes',
];

/** The suite itself: a scan that finds nothing must be one that could. */
describe('the scan', () => {
  const sent = { method: 'GET', path: '/v1/cases', headers: {} };
  const heard = (body: string, headers = {}) => ({ status: 200, headers, body: Buffer.from(body) });
  const found = (body: string, headers = {}) =>
    new Scan().findings(['home'], sent, heard(body, headers), false).map(({ fault }) => fault);

  it.each([
    ['a stack', 'Error: x\n    at Object.<anonymous> (/srv/app/index.js:1:2)'],
    ['a path', '{"detail":"/work/main/libs/x"}'],
    ['SQL', 'SELECT id FROM cases'],
    ['the database’s words', 'relation "cases" does not exist'],
    ['a name of the catalogue', '{"detail":"permission denied for table pg_authid"}'],
    ['the driver’s words', 'connect ECONNREFUSED 127.0.0.1:5432'],
    ['a password’s hash', '$argon2id$v=19$m=19456'],
    ['an inner number', '{"batchId":7}'],
  ])('finds %s', (_, body) => expect(found(body)).toEqual(expect.arrayContaining(['leak'])));

  it('does not take a random token for a name of the catalogue', () => {
    expect(found('{"token":"PG_asJYxfAJZ3pnjCSKF5m"}', { 'set-cookie': 'g72_session=pg_asJYxfAJZ3pnjCSKF5m' })).toEqual(
      [],
    );
  });

  it('finds a leak in a header, and a banner', () => {
    expect(found('', { 'x-note': 'TypeError: undefined is not a function' })).toContain('leak');
    expect(found('', { server: 'thing/1.0' })).toContain('leak');
  });

  it('finds a foreign canary, not one’s own', () => {
    expect(found('canary-foreign-name-00000000')).toEqual(['crossAgencyRead']);
    expect(found('canary-home-name-00000000')).toEqual([]);
  });

  it('does not take for a leak what the request said itself', () => {
    const words = { ...sent, path: '/v1/cases?x=TypeError' };
    expect(new Scan().findings(['home'], words, heard('TypeError'), false)).toEqual([]);
  });

  it('finds a refusal that is no problem document', () => {
    const plain = { status: 404, headers: { 'content-type': 'text/html' }, body: Buffer.from('<h1>no</h1>') };
    expect(new Scan().findings(['home'], sent, plain, true).map(({ fault }) => fault)).toContain('malformed');
  });
});

describe('mutations', () => {
  it('are the same for the same seed', () => {
    const body = { words: 'a', place: { lon: 1, lat: 2 }, list: [1, { deep: true }] };
    const draw = () => fc.sample(mutated(body), { seed: 7, numRuns: 200 }).map(write);
    expect(draw()).toEqual(draw());
    expect(new Set(draw()).size).toBeGreaterThan(80);
  });
});
