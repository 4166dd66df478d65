import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type TestApi } from '../harness/api.ts';
import { createTestDatabase, type TestDatabase } from '../harness/database.ts';
import { redisUrl } from '../harness/env.ts';
import type { Heard } from './client.ts';
import { type Operation, operationsOf } from './document.ts';
import { type About, type Asker, expected, type Verdict } from './matrix.ts';
import { FormBody, parametersOf, pathOf, type Rule, RULES } from './rules.ts';
import { write } from './values.ts';
import { agencyKey, type Caller, device, freshAddress, json, officer, signIn, told } from './staff.ts';
import { makeWorld, type World } from './world.ts';
import { CASE_STATES, noThing, picture, type Thing } from './things.ts';

/** Every operation is asked for by everybody about everything: what each is answered with follows from the rules alone. */
let database: TestDatabase;
let api: TestApi;
let world: World;
let operations: Map<string, Operation>;
let askers: Asker[];
let upload: Buffer;
const things = new Map<string, Thing>();

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, TRUST_PROXY: '1', RATE_LIMIT_FACTOR: '1000' });
  const settings = { NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: database.url, REDIS_URL: redisUrl() };
  world = await makeWorld(api.url, settings);
  operations = new Map((await operationsOf(api.url)).map((operation) => [operation.name, operation]));
  upload = await picture();
  const kinds = [...CASE_STATES, ...Object.values(RULES).flatMap(({ on }) => on ?? [])];
  for (const owner of ['home', 'foreign'] as const) {
    for (const kind of new Set(kinds)) things.set(`${owner} ${kind}`, await world.make(owner, kind));
  }
  const callers = [...world.callers.values()].filter(({ owner }) => owner !== 'spare');
  askers = [...callers.map((caller) => ({ caller })), ...(await inPlight())];
}, 120_000);

afterAll(async () => {
  await world?.close();
  await api?.close();
  await database?.drop();
});

/** Those who once could and no longer can, or not for this. */
async function inPlight(): Promise<Asker[]> {
  const { services, client, agencies } = world;
  const verifier = (name: string) =>
    officer(services, client, { name, owner: 'home', agencyId: agencies.home, roles: ['liaison', 'verifier'] });
  const [expired, frozen] = [await verifier('expired'), await verifier('frozen')];
  await services.expireSessions(expired.login!.id);
  await services.freeze(frozen.login!.id);
  const revoked = await services.key(agencies.home);
  await services.revokeKey(revoked.id);
  const forgotten = await device(client, 'forgotten device', [114.06, 22.54]);
  await client.send({ method: 'DELETE', path: '/v1/devices/me', headers: forgotten.credential });
  const key = await agencyKey(services, 'home', agencies.home, 'revoked key');
  const shutOut = [expired, forgotten, { ...key, credential: { authorization: `Bearer g72k_${revoked.secret}` } }];
  const stale = await verifier('without step-up');
  await services.ageStepUp(stale.login!.id);
  const conflicted = await verifier('with a conflict');
  for (const { owner, caseId, reference } of things.values()) {
    if (owner !== 'home' || reference === noThing().reference) continue;
    told(await client.send(json('POST', `/v1/cases/${caseId}/conflicts`, {}, conflicted.credential)), 204);
  }
  return [
    { caller: conflicted, plight: 'conflicted' },
    ...shutOut.map((caller): Asker => ({ caller, plight: 'shut_out' })),
    { caller: frozen, plight: 'frozen' },
    { caller: stale, plight: 'stale' },
  ];
}

function thingFor(rule: Rule, about: About): Thing {
  const thing = things.get(`${about === 'foreign' ? 'foreign' : 'home'} ${rule.on ?? 'live'}`);
  if (about === 'absent' || !thing) return noThing();
  return thing;
}

/** An asker who may is given a thing and a session that this may use up. */
async function fresh(rule: Rule, asker: Asker, about: About, verdict: Verdict): Promise<[Caller, Thing]> {
  const thing = thingFor(rule, about);
  if (verdict.status !== rule.ok) return [asker.caller, thing];
  const own = rule.moves && about !== 'none' && about !== 'absent' ? await world.make(about, rule.on ?? 'live') : thing;
  return [rule.spends === 'session' ? await copyOf(asker.caller) : asker.caller, own];
}

async function copyOf(caller: Caller): Promise<Caller> {
  const copy = { ...caller };
  if (caller.kind === 'officer') await signIn(world.client, copy);
  return caller.kind === 'device' ? device(world.client, 'another', [114.06, 22.54]) : copy;
}

/** What has been used of a session that is to be kept is made good. */
async function restore({ caller, plight }: Asker): Promise<void> {
  if (plight === 'stale') await world.services.ageStepUp(caller.login!.id);
}

async function ask({ method, template }: Operation, rule: Rule, caller: Caller, thing: Thing): Promise<Heard> {
  const scene = { caller, thing, picture: upload };
  const body = rule.body?.(scene);
  const typed = body === undefined ? {} : { 'content-type': body instanceof FormBody ? body.type : 'application/json' };
  return world.client.send({
    method,
    path: pathOf(template, parametersOf(rule, template, scene)),
    headers: { 'x-forwarded-for': freshAddress(), ...typed, ...caller.credential, ...rule.headers?.(scene) },
    body: body === undefined ? undefined : body instanceof FormBody ? body.bytes : write(body),
  });
}

function verdictOf({ status, body }: Heard, rule: Rule): Verdict {
  if (status === rule.ok || status < 400) return { status };
  const { code } = JSON.parse(body.toString()) as { code: string };
  return { status, code };
}

const aboutWhat = (rule: Rule): readonly About[] => {
  if (!rule.on) return ['none'];
  if (rule.by === 'public') return rule.missing ? ['home', 'absent'] : ['home'];
  return ['home', 'foreign', 'absent'];
};

/** All that a client can tell of an answer, but for the request's own name and when it was. */
function bytesOf({ status, headers, body }: Heard): string {
  const { date: _, 'x-request-id': __, ...rest } = headers;
  return `${status}\n${JSON.stringify(rest)}\n${body.toString().replaceAll(/urn:golden72:request:[\w-]+/g, '')}`;
}

describe('the authorisation matrix', () => {
  it('has a rule for every operation, and an operation for every rule', () => {
    expect([...operations.keys()].filter((name) => !RULES[name])).toEqual([]);
    expect(Object.keys(RULES).filter((name) => !operations.has(name))).toEqual([]);
  });

  it.each(Object.entries(RULES))(
    '%s',
    async (name, rule) => {
      const operation = operations.get(name)!;
      const wrong: string[] = [];
      let allowed = 0;
      for (const asker of askers) {
        const answers = new Map<About, Heard>();
        for (const about of aboutWhat(rule)) {
          const verdict = expected(rule, asker, about);
          const [caller, thing] = await fresh(rule, asker, about, verdict);
          const heard = await ask(operation, rule, caller, thing);
          if (rule.spends && verdict.status === rule.ok) await restore(asker);
          const got = verdictOf(heard, rule);
          answers.set(about, heard);
          if (verdict.status === rule.ok) allowed += 1;
          if (got.status !== verdict.status || (verdict.code && got.code !== verdict.code)) {
            wrong.push(`${asker.caller.name} about ${about}: ${saidIn(got)}, not ${saidIn(verdict)}`);
          }
        }
        if (answers.has('foreign') && isHidden(expected(rule, asker, 'foreign'), rule)) {
          const [one, other] = [answers.get('foreign')!, answers.get('absent')!].map(bytesOf);
          if (one !== other) wrong.push(`${asker.caller.name} can tell a foreign thing from none: ${one} / ${other}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(allowed).toBeGreaterThan(0);
    },
    60_000,
  );
});

const isHidden = ({ status, code }: Verdict, { missing }: Rule) => status === 404 && code === missing;

const saidIn = ({ status, code }: Verdict) => `${status} ${code ?? ''}`;
