import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type TestApi } from '../harness/api.ts';
import { createTestDatabase, type TestDatabase } from '../harness/database.ts';
import { redisUrl } from '../harness/env.ts';
import type { Heard, Sent } from './client.ts';
import { type Caller, device, json, officer, told } from './staff.ts';
import { submission, type Thing } from './things.ts';
import { makeWorld, type World } from './world.ts';

/** Two people act on one thing in the same moment: one wins, the other is refused by name, and the books add up. */
let database: TestDatabase;
let api: TestApi;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
  const settings = { TRUST_PROXY: '1', RATE_LIMIT_FACTOR: '1000', DATABASE_POOL: '12' };
  api = await startApi({ databaseUrl: database.url, ...settings });
  const env = { NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: database.url, REDIS_URL: redisUrl() };
  world = await makeWorld(api.url, env);
}, 120_000);

afterAll(async () => {
  await world?.close();
  await api?.close();
  await database?.drop();
});

const ROUNDS = 5;
const by = (name: string) => world.caller(`home ${name}`);
const act = (caller: Caller, method: string, path: string, body?: unknown, headers = {}): Sent =>
  json(method, path, body, { ...caller.credential, ...headers });

/** Sends all at once, some of them twice over, and tells what each was answered with. */
const together = (...sent: Sent[]): Promise<Heard[]> => Promise.all(sent.map((each) => world.client.send(each)));

/** 204, or a refusal's code. */
const outcome = ({ status, body }: Heard) =>
  status < 300 ? status : (JSON.parse(body.toString()) as { code: string }).code;

const verify = ({ caseId, version }: Thing, caller = by('verifier')) =>
  act(caller, 'POST', `/v1/cases/${caseId}/verify`, { version });
const giveBack = ({ caseId }: Thing) => act(by('verifier'), 'POST', `/v1/cases/${caseId}/return`, { reason: 'More.' });
const end = ({ alertId }: Thing, caller = by('verifier')) =>
  act(caller, 'POST', `/v1/alerts/${alertId}/end`, { kind: 'found', outcome: 'safe', cause: 'none' });
const rewrite = ({ caseId, photoId }: Thing) =>
  act(by('desk'), 'PUT', `/v1/cases/${caseId}`, submission({ owner: 'home', place: [114.06, 22.54] }, photoId));

async function stateOf({ caseId }: Thing): Promise<{ state: string; alert: { state: string } | null }> {
  const answer = await world.client.send(act(by('verifier'), 'GET', `/v1/cases/${caseId}`));
  return told(answer, 200);
}

const rows = async (sql: string, id: string): Promise<number> =>
  Number((await world.services.db.query<[{ n: number }]>(`SELECT count(*) AS n FROM ${sql}`, [id]))[0].n);

/** How many of the answers were yes. */
const yes = (answers: readonly Heard[]) => answers.filter(({ status }) => status < 300).length;

describe.each(Array.from({ length: ROUNDS }, (_, round) => round))('in round %i', () => {
  it('two verifiers verify: one alert goes out, once', async () => {
    const thing = await world.make('home', 'submitted');
    const answers = await together(verify(thing), verify(thing, world.caller('parent verifier')), verify(thing));
    expect(yes(answers)).toBe(1);
    const refused = answers.filter(({ status }) => status >= 300).map(outcome);
    expect(new Set(refused)).toEqual(new Set(['case_transition_illegal']));
    expect(await rows('waves WHERE alert_id = $1', thing.alertId)).toBe(1);
    expect(await stateOf(thing)).toMatchObject({ state: 'active', alert: { state: 'live' } });
  });

  it('one verifies while another returns', async () => {
    const thing = await world.make('home', 'submitted');
    const answers = await together(verify(thing), giveBack(thing));
    expect(yes(answers)).toBe(1);
    const { state, alert } = await stateOf(thing);
    expect([state, alert?.state]).toEqual(answers[0]!.status < 300 ? ['active', 'live'] : ['returned', 'proposed']);
  });

  it('a returned case is edited and submitted in the same moment: what is submitted is what was written, whole', async () => {
    const thing = await world.make('home', 'returned');
    const submit = act(by('liaison'), 'POST', `/v1/cases/${thing.caseId}/submit`);
    const [edited, submitted] = (await together(rewrite(thing), submit)) as [Heard, Heard];
    expect(submitted.status).toBe(204);
    expect([204, 'case_not_editable']).toContain(outcome(edited));
    // Whoever wrote a part of it is an author, and the version is that of what now stands there.
    const stale = await world.client.send(verify(thing));
    expect(outcome(stale)).toBe(edited.status < 300 ? 'version_changed' : 200);
  });

  it('an edit comes while it is being verified: what goes out was read by the verifier', async () => {
    const thing = await world.make('home', 'submitted');
    const [verified, edited] = (await together(verify(thing), rewrite(thing))) as [Heard, Heard];
    expect(verified.status).toBe(200);
    expect(outcome(edited)).toBe('case_not_editable');
  });

  it('two end the same alert: everyone is told once', async () => {
    const thing = await world.make('home', 'live');
    const answers = await together(end(thing), end(thing, by('liaison')));
    expect(answers.map(outcome).toSorted()).toEqual([204, 'alert_ended'].toSorted());
    expect(await rows(`waves WHERE audience = 'notified' AND alert_id = $1`, thing.alertId)).toBe(1);
  });

  it('an alert is ended in the moment of its release', async () => {
    const thing = await world.make('home', 'submitted');
    const [verified, ended] = (await together(verify(thing), end(thing))) as [Heard, Heard];
    expect(verified.status).toBe(200);
    expect([204, 'alert_transition_illegal', 'case_transition_illegal']).toContain(outcome(ended));
    const { state, alert } = await stateOf(thing);
    expect([state, alert?.state]).toEqual(ended.status < 300 ? ['closed', 'ended'] : ['active', 'live']);
  });

  it('a case is closed in the moment of its release', async () => {
    const thing = await world.make('home', 'submitted');
    const close = act(by('liaison'), 'POST', `/v1/cases/${thing.caseId}/close`, { outcome: 'safe', cause: 'none' });
    const [verified, closed] = (await together(verify(thing), close)) as [Heard, Heard];
    expect(verified.status).toBe(200);
    expect(['alert_live', 'case_transition_illegal']).toContain(outcome(closed));
    expect(await stateOf(thing)).toMatchObject({ state: 'active', alert: { state: 'live' } });
  });

  it('two installations register one token: one device is left, and both secrets are not', async () => {
    const token = `sim:${randomUUID()}`;
    const register = json('POST', '/v1/devices', { platform: 'android', token, language: 'en' });
    const answers = await together(register, register, register);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(await rows('devices WHERE token = $1', token)).toBe(1);
    const secrets = answers.map((answer) => told<{ secret: string }>(answer, 201).secret);
    const moves = await together(...secrets.map((secret) => moveTo(secret)));
    expect(yes(moves)).toBe(1);
  });

  it('a device moves while it is forgotten: nothing of it is left', async () => {
    const phone = await device(world.client, 'leaving', [114.06, 22.54]);
    const secret = phone.credential['authorization']!.replace('Bearer ', '');
    const leave = act(phone, 'DELETE', '/v1/devices/me');
    const before = await rows('positions WHERE $1 = $1', 'x');
    const answers = await together(moveTo(secret), leave, moveTo(secret));
    expect(answers[1]!.status).toBe(204);
    expect(answers.filter(({ status }) => status !== 204 && status !== 401)).toEqual([]);
    expect(await rows('positions WHERE $1 = $1', 'x')).toBe(before - 1);
  });

  it('one request is sent three times at once: one case, one answer', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = submission({ owner: 'home', place: [114.06, 22.54] });
    const answers = await together(...[1, 2, 3].map(() => act(by('liaison'), 'POST', '/v1/cases', body, key)));
    const ids = answers.map((answer) => told<{ id: string }>(answer, 201).id);
    expect(new Set(ids).size).toBe(1);
  });

  it('two propose roles and two confirm: one proposal counts', async () => {
    const grant = await world.make('home', 'grant');
    const confirm = (name: string) => act(world.caller(name), 'POST', `/v1/grants/${grant.id}/confirm`);
    const refuse = act(by('verifier'), 'POST', `/v1/grants/${grant.id}/refuse`);
    const answers = await together(confirm('home administrator'), confirm('home verifier'), refuse);
    expect(yes(answers)).toBe(1);
    expect(answers.map(outcome).filter((each) => each !== 204)).toEqual(['grant_settled', 'grant_settled']);
  });

  it('a change is approved while its alert is held and ended', async () => {
    const thing = await world.make('home', 'change');
    const path = `/v1/alerts/${thing.alertId}`;
    const approve = act(by('verifier'), 'POST', `${path}/changes/${thing.changeId}/approve`, {
      version: thing.version,
    });
    const hold = act(by('liaison'), 'POST', `${path}/hold`, { reason: 'other' });
    const [approved, held, ended] = (await together(approve, hold, end(thing))) as [Heard, Heard, Heard];
    expect(ended.status).toBe(204);
    expect([200, 'alert_ended', 'change_decided', 'version_changed']).toContain(outcome(approved));
    expect([204, 'alert_ended', 'case_transition_illegal']).toContain(outcome(held));
    expect(await stateOf(thing)).toMatchObject({ state: 'closed', alert: { state: 'ended' } });
  });

  it('a verifier is frozen in the moment of verifying: either it went out and is held, or it did not go out', async () => {
    const verifier = await newVerifier();
    const thing = await world.make('home', 'submitted');
    const freeze = act(by('administrator'), 'POST', `/v1/officers/${verifier.login!.id}/freeze`);
    const [verified, frozen] = (await together(verify(thing, verifier), freeze)) as [Heard, Heard];
    expect(frozen.status).toBe(204);
    const sending = await rows(`alerts WHERE state = 'live' AND held_at IS NULL AND id = $1`, thing.alertId);
    expect([verified.status, sending]).toEqual(verified.status === 200 ? [200, 0] : [401, 0]);
  });
});

function moveTo(secret: string): Sent {
  const place = { lon: 114.1, lat: 22.6, datum: 'wgs84' };
  return json('PUT', '/v1/devices/me/position', { place }, { authorization: `Bearer ${secret}` });
}

async function newVerifier(): Promise<Caller> {
  const draft = {
    name: 'passing verifier',
    owner: 'home' as const,
    agencyId: world.agencies.home,
    roles: ['verifier'] as const,
  };
  return officer(world.services, world.client, draft);
}
