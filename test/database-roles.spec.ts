import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client, type DatabaseError } from 'pg';
import { DataSource } from 'typeorm';
import type { Role } from '#access';
import { RecipientReferences } from '#dispatch';
import { PRIVILEGES, type Process, PROCESSES, roleOf } from '../migrations/privileges.ts';
import { startSimulator, type Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import { AuditAnchors } from '../apps/worker/src/audit-anchors.ts';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { Retention } from '../apps/worker/src/retention.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { commandLine } from './harness/command-line.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { emptyRedis, simulatorEnv, testEnv } from './harness/env.ts';
import { drawnPortrait } from './harness/alert-rows.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { startPublic, type TestPublic } from './harness/public.ts';
import { until } from './harness/until.ts';

/** SQLSTATE of a missing privilege (PostgreSQL, appendix A). */
const INSUFFICIENT_PRIVILEGE = '42501';

const PHONE =
  'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36';

describe('the roles of the database', () => {
  const logins = Object.fromEntries(
    PROCESSES.map((process) => [process, `test_${process}_${randomBytes(4).toString('hex')}`]),
  ) as Record<Process, string>;
  const password = randomBytes(18).toString('base64url');
  let database: TestDatabase;
  let redis: string;
  let owner: Client;

  const golden72 = (args: string[], input = '') => commandLine(database.url, args, input);

  /** The database, as a process would be told of it. */
  const urlOf = (process: Process) =>
    Object.assign(new URL(database.url), { username: logins[process], password }).href;

  const as = async <Result>(process: Process, work: (client: Client) => Promise<Result>): Promise<Result> => {
    const client = new Client(urlOf(process));
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  const faultOf = (process: Process, sql: string) =>
    as(process, (client) =>
      client.query(sql).then(
        () => null,
        (error: DatabaseError) => error.code,
      ),
    );

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await emptyRedis();
    owner = new Client(database.url);
    await owner.connect();
    expect(await golden72(['database', 'roles'])).toMatchObject({ code: 0, error: '' });
    for (const process of PROCESSES) {
      const args = ['database', 'login', process, '--name', logins[process], '--password-file', '-'];
      expect(await golden72(args, `${password}\n`)).toMatchObject({ code: 0, error: '' });
    }
  });

  afterAll(async () => {
    // The group roles stay: they belong to the server, and other databases of it use them.
    for (const login of Object.values(logins)) await owner?.query(`DROP ROLE IF EXISTS ${login}`);
    await owner?.end();
    await database?.drop();
  });

  it('name every table and view of every schema of ours', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
         AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`,
    );
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(PRIVILEGES).sort());
  });

  it('name only columns that there are', async () => {
    const named = Object.entries(PRIVILEGES).flatMap(([table, by]) =>
      Object.values(by).flatMap((grants) =>
        Object.values(grants).flatMap((extent) =>
          extent === true ? [] : extent.map((column) => `${table}.${column}`),
        ),
      ),
    );
    const { rows } = await owner.query<{ name: string }>(
      `SELECT table_schema || '.' || table_name || '.' || column_name AS name FROM information_schema.columns`,
    );
    const known = new Set(rows.map(({ name }) => name));
    expect(named.filter((column) => !known.has(column))).toEqual([]);
  });

  it('have exactly what the table says, however often it is asked for', async () => {
    const held = async () => {
      const { rows } = await owner.query<{ line: string }>(
        `SELECT concat_ws(' ', grantee, privilege_type, table_schema || '.' || table_name, column_name) AS line
         FROM information_schema.column_privileges WHERE grantee = ANY ($1) ORDER BY 1`,
        [PROCESSES.map(roleOf)],
      );
      return rows.map(({ line }) => line);
    };
    const before = await held();
    await owner.query(`GRANT UPDATE ON audit_entries TO ${roleOf('api')}`);
    await owner.query(`GRANT SELECT (login) ON officers TO ${roleOf('public')}`);
    await owner.query('GRANT SELECT ON cases TO PUBLIC');
    expect(await held()).not.toEqual(before);
    expect((await golden72(['database', 'roles'])).code).toBe(0);
    expect(await held()).toEqual(before);
    expect(await faultOf('public', 'SELECT id FROM cases')).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it.each<[Process, string]>([
    ['public', 'SELECT id FROM cases'],
    ['public', 'SELECT id FROM case_photos'],
    ['public', 'SELECT login FROM officers'],
    ['public', 'SELECT officer_id FROM sessions'],
    ['public', 'SELECT secret FROM second_factors'],
    ['public', 'SELECT id FROM agency_keys'],
    ['public', 'SELECT lon FROM positions'],
    ['public', 'SELECT token FROM devices'],
    ['public', 'SELECT ids FROM batch_recipients'],
    ['public', 'SELECT results FROM batches'],
    ['public', 'SELECT photo_id FROM alerts'],
    ['public', 'SELECT sealed FROM sightings'],
    ['public', 'SELECT actor FROM audit_entries'],
    ['public', `UPDATE alerts SET state = 'ended'`],
    ['public', `UPDATE messages SET texts = '{}'`],
    ['public', 'UPDATE forwards SET depth = 0'],
    ['public', 'DELETE FROM alert_photos'],
    ['public', 'DELETE FROM vault.case_keys'],
    ['public', `INSERT INTO outbox (queue, name, data) VALUES ('a', 'b', '{}')`],
    ['api', `UPDATE audit_entries SET actor = 'nobody'`],
    ['api', 'DELETE FROM audit_entries'],
    ['api', 'TRUNCATE audit_entries'],
    ['api', 'DELETE FROM audit_chains'],
    ['api', 'ALTER TABLE audit_entries DISABLE TRIGGER ALL'],
    ['api', 'DROP TABLE audit_entries'],
    ['api', 'DELETE FROM vault.case_keys'],
    ['api', `UPDATE vault.case_keys SET wrapped = ''`],
    ['api', 'DELETE FROM cases'],
    ['api', 'DELETE FROM officers'],
    ['api', `UPDATE officers SET login = 'somebody'`],
    ['api', `UPDATE agencies SET parent_id = id`],
    ['api', `INSERT INTO agency_keys (id, agency_id, label, secret_hash) SELECT id, id, '', '' FROM agencies`],
    ['api', `UPDATE identity_providers SET issuer = 'https://evil.example'`],
    ['api', `INSERT INTO officer_identities (officer_id, issuer, subject) SELECT id, '', '' FROM officers`],
    ['api', 'DELETE FROM batch_recipients'],
    ['api', 'CREATE TABLE mine (id int)'],
    ['api', 'SELECT name FROM migrations'],
    ['worker', 'SELECT password_hash FROM officers'],
    ['worker', 'SELECT secret FROM second_factors'],
    ['worker', `UPDATE agencies SET frozen_at = NULL`],
    ['worker', `UPDATE audit_entries SET actor = 'nobody'`],
    ['worker', 'DELETE FROM audit_chains'],
    ['worker', 'DELETE FROM cases'],
    ['worker', `UPDATE vault.case_keys SET wrapped = ''`],
    ['worker', 'CREATE SCHEMA mine'],
  ])('keep %s from: %s', async (process, sql) => {
    expect(await faultOf(process, sql)).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it.each(PROCESSES)('keep %s from becoming another', async (process) => {
    for (const other of PROCESSES.filter((one) => one !== process)) {
      expect(await faultOf(process, `SET ROLE ${roleOf(other)}`)).toBe(INSUFFICIENT_PRIVILEGE);
    }
    expect(await faultOf(process, `ALTER ROLE ${logins[process]} SUPERUSER`)).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it('are refused a name, a process or a password that is none', async () => {
    const login = (process: string, name: string, input: string) =>
      golden72(['database', 'login', process, '--name', name, '--password-file', '-'], input);
    for (const [process, name, input] of [
      ['admin', 'fine', password],
      ['api', 'x; DROP ROLE y', password],
      ['api', 'pg_monitor', password],
      ['api', 'fine', 'short'],
      ['api', 'fine', `quoted'${password}`],
    ] as const) {
      expect((await login(process, name, input)).code).toBe(1);
    }
  });

  describe('let the whole job be done', () => {
    let dir: string;
    let setup: TestApi;
    let api: TestApi;
    let pages: TestPublic;
    let worker: NestFastifyApplication;
    let simulator: Simulator;

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'golden72-roles-'));
      simulator = await startSimulator({ dir });
      setup = await startApi({ databaseUrl: database.url, redisUrl: redis });
      pages = await startPublic(urlOf('public'), { REDIS_URL: redis });
      api = await startApi({ databaseUrl: urlOf('api'), redisUrl: redis, PUBLIC_URL: pages.url });
      worker = await createWorker(testEnv(urlOf('worker'), { ...simulatorEnv(simulator), PUBLIC_URL: pages.url }));
      await worker.init();
    });

    afterAll(async () => {
      await worker?.close();
      await api?.close();
      await setup?.close();
      await pages?.close();
      await simulator?.close();
      await rm(dir, { recursive: true, force: true });
    });

    const count = async (sql: string) => {
      const [row] = await setup.app.get(DataSource).query<[{ n: number }]>(`SELECT count(*)::int AS n FROM ${sql}`);
      return row.n;
    };

    /** Calls as an officer, and demands that it was done. */
    const done = async (cookie: string, method: string, path: string, json?: unknown, body?: FormData) => {
      const sent = json === undefined ? (body ? { body } : {}) : { json };
      const answer = await call<Record<string, unknown>>(api.url, method, path, { cookie, ...sent });
      expect([method, path, answer.status, answer.status < 300 ? null : answer.body]).toEqual([
        ...[method, path, answer.status, null],
      ]);
      return answer.body;
    };

    const newOfficer = async (agencyId: string, ...roles: Role[]) => {
      const officer = await makeOfficer(setup.app, { agencyId, roles });
      return { ...officer, cookie: await signIn(api.url, officer) };
    };

    const photo = async () => {
      const form = new FormData();
      form.set('photo', new Blob([new Uint8Array(await drawnPortrait())]), 'photo.png');
      return form;
    };

    const settled = () =>
      until('every wave settled', async () => (await count('waves WHERE settled_at IS NULL')) === 0);

    it('each process as its own login', async () => {
      await makeDevices(setup.app.get(DataSource), scatter(60, SHENZHEN, 10_000));
      const agencyId = await makeAgency(setup.app);
      const { cookie: liaison } = await newOfficer(agencyId, 'liaison');
      const { cookie: verifier } = await newOfficer(agencyId, 'verifier');
      const { id } = await done(liaison, 'POST', '/v1/cases', submission());
      const path = `/v1/cases/${String(id)}`;
      const added = await done(liaison, 'POST', `${path}/photos`, undefined, await photo());
      await done(liaison, 'PUT', path, submission({ photoId: added['id'] }));
      await done(liaison, 'GET', `${path}/preview`);
      await done(liaison, 'POST', `${path}/submit`);
      const { version } = await done(verifier, 'GET', path);
      const released = await done(verifier, 'POST', `${path}/verify`, { version });
      const [alert, slug] = [`/v1/alerts/${String(released['alertId'])}`, String(released['slug'])];
      await settled();
      expect(await count('batches WHERE accepted > 0')).toBeGreaterThan(0);

      const [batch] = await setup.app.get(DataSource).query<[{ id: number }]>('SELECT id FROM batches LIMIT 1');
      const ref = api.app.get(RecipientReferences, { strict: false }).encode(batch.id, 0);
      await done('', 'POST', '/v1/receipts', { items: [{ ref, kind: 'opened' }] });
      const forward = await done('', 'POST', '/v1/forwards', { ref });
      expect(await done('', 'GET', `/v1/alerts/${slug}`)).toMatchObject({ state: 'live' });

      const page = await fetch(`${pages.url}/a/${slug}?f=${String(forward['token'])}`, {
        headers: { 'user-agent': PHONE },
      });
      expect([page.status, (await page.text()).includes('</html>')]).toEqual([200, true]);
      expect((await fetch(`${pages.url}/a/${slug}/photo.jpg`)).status).toBe(200);
      await until('the view is counted', async () => (await count('views')) === 1);
      const link = { parent: forward['token'] };
      const child = await fetch(`${pages.url}/a/${slug}/forward`, {
        method: 'POST',
        body: JSON.stringify(link),
        headers: { 'content-type': 'application/json', origin: pages.url },
      });
      expect([child.status, await child.text()]).toEqual([201, expect.stringContaining('token')]);
      const form = await photo();
      for (const [name, value] of Object.entries({ words: 'at the pond', key: randomUUID() })) form.set(name, value);
      const tell = { method: 'POST', body: form, headers: { origin: pages.url }, redirect: 'manual' } as const;
      expect((await fetch(`${pages.url}/a/${slug}/sightings`, tell)).status).toBe(303);

      await done(liaison, 'POST', `${path}/sightings`, { words: 'by phone', placeWords: 'a shop' });
      const { sightings } = await done(verifier, 'GET', `${path}/sightings`);
      const [tip] = sightings as [{ id: string }];
      await done(verifier, 'POST', `/v1/sightings/${tip.id}/triage`, { to: 'following' });
      await done(liaison, 'POST', `${alert}/hold`, { reason: 'other' });
      await done(liaison, 'POST', `${alert}/photo-down`, { wrong: false });
      await done(liaison, 'GET', `${alert}/changes`);
      await done(liaison, 'GET', `${path}/funnel`);
      const end = { kind: 'found', ending: 'safe', familyTold: true, outcome: 'safe', cause: 'direct' };
      await done(liaison, 'POST', `${alert}/end`, end);
      await settled();
      expect(await count(`waves WHERE audience = 'notified' AND targeted > 0`)).toBe(1);
      // The page remembers what it served for a second.
      await until('photo gone', async () => (await fetch(`${pages.url}/a/${slug}/photo.jpg`)).status === 410);
    });

    it('phones come, move and go', async () => {
      const registration = { platform: 'android', token: 'sim:roles', language: 'en' };
      const { secret } = await done('', 'POST', '/v1/devices', registration);
      const put = (what: string, json: object) =>
        call(api.url, what === '' ? 'DELETE' : 'PUT', `/v1/devices/me${what}`, {
          bearer: String(secret),
          ...(what === '' ? {} : { json }),
        });
      const [lon, lat] = SHENZHEN;
      const asked = [
        await put('/position', { place: { lon, lat, datum: 'wgs84' } }),
        await put('/preferences', {}),
        await put('/token', { token: 'sim:roles-2', language: 'en' }),
        await put('', {}),
      ];
      expect(asked.map(({ status }) => status)).not.toContain(500);
      expect(asked.at(-1)?.status).toBe(204);
    });

    it('officers are administered, freeze and prove who they are', async () => {
      const agencyId = await makeAgency(setup.app);
      const { cookie: administrator } = await newOfficer(agencyId, 'administrator');
      const { cookie: verifier } = await newOfficer(agencyId, 'verifier');
      const { id } = await newOfficer(agencyId, 'liaison');
      for (const path of ['/v1/officers', '/v1/grants', '/v1/audit', '/v1/sessions'])
        await done(administrator, 'GET', path);
      for (const path of ['/v1/reviews', '/v1/asks', '/v1/retention']) await done(verifier, 'GET', path);
      await done(administrator, 'POST', '/v1/officers', {
        login: `new-${randomUUID()}`,
        name: 'New',
        roles: ['verifier'],
      });
      await done(administrator, 'POST', `/v1/officers/${id}/invitation`);
      await done(verifier, 'POST', '/v1/second-factor');
      await done(verifier, 'POST', `/v1/officers/${id}/freeze`, { reason: 'a lost laptop' });
      await done(administrator, 'DELETE', '/v1/session');
    });

    it('the worker keeps house', async () => {
      for (const [name, step] of Object.entries(worker.get(Retention).steps)) {
        expect([name, await step().then(() => null, String)]).toEqual([name, null]);
      }
      await worker.get(AuditAnchors).tell();
    });
  });
});

function submission(alert: object = {}): object {
  const [lon, lat] = SHENZHEN;
  const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  return {
    case: {
      ...{ type: 'lost', name: '测试小雨', ageYears: 7, consent: { given: 'guardian' }, custodyOrderChecked: true },
      lastSeen: { from: ago(3), until: ago(2), place: '公园', point: { lon, lat, datum: 'wgs84' } },
      publicity: 'safe',
    },
    alert: {
      tier: 'critical',
      place: { 'zh-CN': '深圳', en: 'Shenzhen' },
      texts: {
        'zh-CN': { title: '寻找走失女孩', body: '七岁,黄色雨衣。' },
        en: { title: 'Missing girl', body: 'Seven years old, yellow raincoat.' },
      },
      ...alert,
    },
  };
}
