import { randomBytes } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { DataSource, type EntityManager } from 'typeorm';
import {
  Agencies,
  type AgencyDraft,
  AgencyKeys,
  type OfficerDraft,
  Officers,
  Sessions,
  SIGN_IN_LIMITS,
  SignInThrottle,
} from '#access';
import { AuditVerification } from '#audit';
import type { LonLat } from '#geo';
import { call, makeAgency, makeOfficer, SHENZHEN_SQUARE, signIn, startApi, type TestApi } from './harness/api.ts';
import { hashSecret, hourIn, Keys, RateLimits } from '#platform';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

describe('access', () => {
  let database: TestDatabase;
  let api: TestApi;
  let source: DataSource;
  let agencyId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url, TRUST_PROXY: 'true' });
    source = api.app.get(DataSource);
    agencyId = await makeAgency(api.app);
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const newOfficer = (draft: Partial<OfficerDraft> = {}) =>
    makeOfficer(api.app, { agencyId, roles: ['liaison'], ...draft });
  const session = (cookie: string) => call(api.url, 'GET', '/v1/session', { cookie });
  const tryIn = (login: string, password: string, address = '192.0.2.1') =>
    call(api.url, 'POST', '/v1/session', { json: { login, password }, headers: { 'x-forwarded-for': address } });
  const transact = <T>(work: (tx: EntityManager) => Promise<T>) => source.transaction(work);

  describe('a session', () => {
    it('is a cookie out of reach of scripts and other sites, and tells who is signed in', async () => {
      const { login, password, id } = await newOfficer({ name: '李警官', roles: ['liaison', 'verifier'] });
      const opened = await tryIn(login, password);
      const profile = { officer: { id, name: '李警官', roles: ['liaison', 'verifier'], agency: { id: agencyId } } };
      expect(opened).toMatchObject({ status: 200, body: profile });
      const [cookie = ''] = opened.headers.getSetCookie();
      const [pair = '', ...flags] = cookie.split('; ');
      expect(pair).toMatch(/^g72_session=[\w-]{43}$/);
      expect(flags.sort()).toEqual(['HttpOnly', 'Max-Age=43200', 'Path=/', 'SameSite=Strict']);
      expect(opened.headers.get('cache-control')).toBe('no-store');
      expect((await session(pair)).body).toMatchObject(profile);
    });

    it('is forgotten a week after its end, and not before', async () => {
      const officer = await newOfficer();
      const cookies = [await signIn(api.url, officer), await signIn(api.url, officer), await signIn(api.url, officer)];
      const [expired, revoked, live] = cookies.map((cookie) => hashSecret(cookie.split('=')[1] ?? ''));
      const age = (hash: Buffer | undefined, set: string) =>
        source.query(`UPDATE sessions SET ${set} WHERE secret_hash = $1`, [hash]);
      const left = async () =>
        (
          await source.query<{ secret_hash: Buffer }[]>('SELECT secret_hash FROM sessions WHERE officer_id = $1', [
            officer.id,
          ])
        ).map((row) => row.secret_hash.toString('hex'));
      const sessions = api.app.get(Sessions, { strict: false });
      await age(expired, `expires_at = now() - interval '6 days 23 hours'`);
      await age(revoked, `revoked_at = now() - interval '6 days 23 hours'`);
      await sessions.forgetEnded();
      expect(await left()).toHaveLength(3);
      await age(expired, `expires_at = now() - interval '7 days 1 hour'`);
      await age(revoked, `revoked_at = now() - interval '7 days 1 hour'`);
      await sessions.forgetEnded();
      expect(await left()).toEqual([live?.toString('hex')]);
      expect((await session(cookies[2] ?? '')).status).toBe(200);
    });

    it('is for TLS alone in production', async () => {
      const officer = await newOfficer();
      const SECRET_KEY = randomBytes(32).toString('base64');
      const production = await startApi({ databaseUrl: database.url, NODE_ENV: 'production', SECRET_KEY });
      try {
        const opened = await call(production.url, 'POST', '/v1/session', {
          json: { login: officer.login, password: officer.password },
        });
        expect(opened.headers.getSetCookie()[0]).toContain('; Secure');
      } finally {
        await production.close();
      }
    });

    it('is kept as a hash', async () => {
      const cookie = await signIn(api.url, await newOfficer());
      const [, secret = ''] = cookie.split('=');
      const rows = await source.query<{ row: string }[]>('SELECT sessions::text AS row FROM sessions');
      const stored = rows.map(({ row }) => row).join();
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
      expect(stored).not.toContain(Buffer.from(secret).toString('hex'));
    });

    const endings: Record<string, string> = {
      'it is revoked': 'revoked_at = now()',
      'its twelve hours are over': `expires_at = now() - interval '1 second'`,
      'it was unused for an hour': `seen_at = now() - interval '1 hour'`,
    };
    it.each(Object.entries(endings))('ends when %s', async (_, change) => {
      const officer = await newOfficer();
      const cookie = await signIn(api.url, officer);
      expect((await session(cookie)).status).toBe(200);
      await source.query(`UPDATE sessions SET ${change} WHERE officer_id = $1`, [officer.id]);
      expect(await session(cookie)).toMatchObject({ status: 401, body: { code: 'session_invalid' } });
    });

    it('lasts while it is used', async () => {
      const officer = await newOfficer();
      const cookie = await signIn(api.url, officer);
      await source.query(`UPDATE sessions SET seen_at = now() - interval '59 minutes' WHERE officer_id = $1`, [
        officer.id,
      ]);
      expect((await session(cookie)).status).toBe(200);
      const [row] = await source.query<{ fresh: boolean }[]>(
        `SELECT seen_at > now() - interval '1 minute' AS fresh FROM sessions WHERE officer_id = $1`,
        [officer.id],
      );
      expect(row).toEqual({ fresh: true });
    });

    it('ends at sign-out, and takes its cookie along', async () => {
      const cookie = await signIn(api.url, await newOfficer());
      const closed = await call(api.url, 'DELETE', '/v1/session', { cookie });
      expect(closed.status).toBe(204);
      expect(closed.headers.getSetCookie()[0]).toMatch(/^g72_session=; .*Max-Age=0/);
      expect(await session(cookie)).toMatchObject({ status: 401, body: { code: 'session_invalid' } });
    });

    it('ends when the browser signs in again, and no other does', async () => {
      const officer = await newOfficer();
      const [elsewhere, first] = [await signIn(api.url, officer), await signIn(api.url, officer)];
      const json = { login: officer.login, password: officer.password };
      await call(api.url, 'POST', '/v1/session', { json, cookie: first });
      expect((await session(first)).status).toBe(401);
      expect((await session(elsewhere)).status).toBe(200);
    });

    it('ends with its officer, everywhere and at once', async () => {
      const officer = await newOfficer();
      const cookies = [await signIn(api.url, officer), await signIn(api.url, officer)];
      await transact((tx) => api.app.get(Officers, { strict: false }).disable(tx, officer.id));
      for (const cookie of cookies) expect((await session(cookie)).status).toBe(401);
      expect((await tryIn(officer.login, officer.password)).body).toMatchObject({ code: 'sign_in_failed' });
    });

    it('ends with its officer, however they were disabled', async () => {
      const officer = await newOfficer();
      const cookie = await signIn(api.url, officer);
      await source.query('UPDATE officers SET disabled_at = now() WHERE id = $1', [officer.id]);
      expect((await session(cookie)).status).toBe(401);
    });

    it('is written to the audit', async () => {
      const own = await makeAgency(api.app);
      const officer = await newOfficer({ agencyId: own });
      const cookie = await signIn(api.url, officer);
      await call(api.url, 'DELETE', '/v1/session', { cookie });
      const entries = await source.query<unknown[]>(
        'SELECT seq, actor, action FROM audit_entries WHERE agency_id = $1',
        [own],
      );
      const actor = `officer:${officer.id}`;
      expect(entries).toEqual([
        { seq: 1, actor, action: 'session.open' },
        { seq: 2, actor, action: 'session.close' },
      ]);
      expect(await api.app.get(AuditVerification, { strict: false }).faultOf(own)).toBeNull();
    });
  });

  describe('sign-in', () => {
    it('answers alike for an unknown login, a wrong password and a disabled officer', async () => {
      const [known, disabled] = [await newOfficer(), await newOfficer()];
      await transact((tx) => api.app.get(Officers, { strict: false }).disable(tx, disabled.id));
      const answers = [
        await tryIn(known.login, 'a wrong password indeed'),
        await tryIn('nobody-of-this-name', 'a wrong password indeed'),
        await tryIn(disabled.login, disabled.password),
      ].map(({ status, body, headers }) => {
        const { instance, ...rest } = body;
        expect(instance).toMatch(/^urn:golden72:request:/);
        return { status, rest, cookies: headers.getSetCookie() };
      });
      expect(answers[0]).toMatchObject({ status: 401, rest: { code: 'sign_in_failed' }, cookies: [] });
      expect(answers[1]).toEqual(answers[0]);
      expect(answers[2]).toEqual(answers[0]);
    });

    it('takes a login in any case, and a password in any Unicode form but exactly', async () => {
      const officer = await newOfficer({ password: ' pässwörd of Ⅳ words ' });
      const login = officer.login.toUpperCase();
      expect((await tryIn(login, ' pa\u0308sswo\u0308rd of IV words ')).status).toBe(200);
      expect((await tryIn(login, 'pässwörd of Ⅳ words')).status).toBe(401);
      expect((await tryIn(login, ' PÄSSWÖRD of Ⅳ words ')).status).toBe(401);
    });

    it('raises a hash of other parameters to those of today', async () => {
      const officer = await newOfficer();
      const weak = await hash(officer.password, { memoryCost: 64, timeCost: 1 });
      await source.query('UPDATE officers SET password_hash = $2 WHERE id = $1', [officer.id, weak]);
      expect((await tryIn(officer.login, officer.password)).status).toBe(200);
      const stored = async () =>
        (await source.query<{ h: string }[]>('SELECT password_hash AS h FROM officers WHERE id = $1', [officer.id]))[0]
          ?.h;
      const raised = await stored();
      expect(raised).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect((await tryIn(officer.login, officer.password)).status).toBe(200);
      expect(await stored()).toBe(raised);
    });

    it('is refused before it costs anything when it cannot be right', async () => {
      for (const json of [
        { login: 'a' },
        { login: 'a\0', password: 'b' },
        { login: 'a', password: 'b'.repeat(1025) },
      ]) {
        const answer = await call(api.url, 'POST', '/v1/session', { json });
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      }
    });
  });

  describe('throttling', () => {
    const fail = async (login: string, address: string, times: number) => {
      for (let i = 0; i < times; i++) await tryIn(login, 'a wrong password indeed', address);
    };

    it('stops guessing at one login from one address, even of the right password', async () => {
      const { login, password } = await newOfficer();
      await fail(login, '198.51.100.1', SIGN_IN_LIMITS.pair.points);
      const stopped = await tryIn(login, password, '198.51.100.1');
      expect(stopped).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
      const seconds = Number(stopped.headers.get('retry-after'));
      expect(seconds).toBe(stopped.body['retryAfter']);
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(SIGN_IN_LIMITS.pair.blockS);
      expect((await tryIn(login.toUpperCase(), password, '198.51.100.1')).status).toBe(429);
      expect((await tryIn(login, password, '198.51.100.2')).status).toBe(200);
    });

    it.each(['officer-\u0130', 'officer-\u212a', 'of\ufb01cer', 'of ficer', 'ab'])(
      'takes %s for no login: two clocks of letters would give two budgets',
      async (login) => {
        const answer = await tryIn(login, 'a wrong password indeed', '198.51.100.9');
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      },
    );

    it('forgets failures at a success', async () => {
      const { login, password } = await newOfficer();
      for (let round = 0; round < 3; round++) {
        await fail(login, '198.51.100.3', SIGN_IN_LIMITS.pair.points - 1);
        expect((await tryIn(login, password, '198.51.100.3')).status).toBe(200);
      }
    });

    it('stops guessing from many addresses, and never where the officer has signed in before', async () => {
      const { login, password } = await newOfficer();
      expect((await tryIn(login, password, '198.51.100.4')).status).toBe(200);
      for (let i = 1; i <= SIGN_IN_LIMITS.login.points; i++) await fail(login, `203.0.113.${i}`, 1);
      const stranger = await tryIn(login, password, '203.0.113.200');
      expect(stranger).toMatchObject({ status: 429 });
      expect(Number(stranger.headers.get('retry-after'))).toBeLessThanOrEqual(SIGN_IN_LIMITS.login.blockS);
      expect((await tryIn(login, password, '198.51.100.4')).status).toBe(200);
    });

    it('stops one address that tries many logins, as a /64 when it is IPv6', async () => {
      for (let i = 0; i < SIGN_IN_LIMITS.address.points; i++) {
        await tryIn(`nobody-${i}`, 'a wrong password indeed', `2001:db8::${i.toString(16)}`);
      }
      const { login, password } = await newOfficer();
      expect((await tryIn(login, password, '2001:db8::ffff')).status).toBe(429);
      expect((await tryIn(login, password, '2001:db8:0:1::1')).status).toBe(200);
    });

    it('does not believe an address that a client claims for itself', async () => {
      const direct = await startApi({ databaseUrl: database.url });
      try {
        const { login, password } = await newOfficer();
        const attempt = (address: string, tried: string) =>
          call(direct.url, 'POST', '/v1/session', {
            json: { login, password: tried },
            headers: { 'x-forwarded-for': address },
          });
        for (let i = 0; i < SIGN_IN_LIMITS.pair.points; i++) await attempt(`203.0.113.${i}`, 'a wrong password indeed');
        expect((await attempt('203.0.113.99', password)).status).toBe(429);
      } finally {
        await direct.close();
      }
    });

    it('still counts while Redis is away', async () => {
      const away = new Redis({ lazyConnect: true, enableOfflineQueue: false });
      const keys = new Keys({ SECRET_KEY: Buffer.alloc(32, 'test').toString('base64') });
      const throttle = new SignInThrottle(new RateLimits(away, keys), keys, away);
      const admit = () => throttle.admit('officer', { address: '192.0.2.1' });
      await (await admit()).succeeded();
      for (let i = 0; i < SIGN_IN_LIMITS.pair.points; i++) await admit();
      await expect(admit()).rejects.toMatchObject({ code: 'too_many_attempts' });
      away.disconnect();
    });
  });

  describe('agencies', () => {
    const create = (draft: Partial<AgencyDraft>) => makeAgency(api.app, draft);
    const ring = (...points: LonLat[]) => points.map(([lon, lat]) => [lon, lat]);
    const square = (w: number, s: number, e: number, n: number) => ring([w, s], [e, s], [e, n], [w, n], [w, s]);

    it('know what lies inside their jurisdiction: edges do, holes do not, and parts do', async () => {
      const id = await create({
        jurisdiction: {
          type: 'MultiPolygon',
          coordinates: [[square(170, -20, 180, -10), square(174, -16, 176, -14)], [square(-180, -20, -170, -10)]],
        },
      });
      const agencies = api.app.get(Agencies, { strict: false });
      const inside = (lon: number, lat: number) => agencies.inJurisdiction(id, [lon, lat]);
      for (const [lon, lat] of [
        [171, -11],
        [170, -20],
        [180, -15],
        [-180, -15],
        [-171, -11],
        [174, -15],
      ] as const) {
        expect([lon, lat, await inside(lon, lat)]).toEqual([lon, lat, true]);
      }
      for (const [lon, lat] of [
        [175, -15],
        [169.999999, -15],
        [171, -9.999999],
        [0, 0],
      ] as const) {
        expect([lon, lat, await inside(lon, lat)]).toEqual([lon, lat, false]);
      }
      expect(await agencies.inJurisdiction('0198c0de-0000-4000-8000-000000000000', [171, -11])).toBe(false);
    });

    it('come back without their jurisdiction', async () => {
      const parentId = await create({});
      const id = await create({ parentId, zone: 'America/Sao_Paulo', callNumber: '+55 190' });
      expect(await api.app.get(Agencies, { strict: false }).agencyById(id)).toMatchObject({
        id,
        parentId,
        zone: 'America/Sao_Paulo',
        callNumber: '+55 190',
      });
      expect(await api.app.get(Agencies, { strict: false }).agencyById(id)).not.toHaveProperty('jurisdiction');
    });

    const bowTie = ring([113, 22], [114, 23], [114, 22], [113, 23], [113, 22]);
    const wrong: [Partial<AgencyDraft>, string][] = [
      [{ zone: 'Middle/Earth' }, 'zone_unknown'],
      [{ zone: '' }, 'zone_unknown'],
      // Known to Intl alone; an offset, which PostgreSQL turns round; not as PostgreSQL spells it; without its summer there.
      [{ zone: 'US/Pacific-New' }, 'zone_unknown'],
      [{ zone: '+08:00' }, 'zone_unknown'],
      [{ zone: 'asia/shanghai' }, 'zone_unknown'],
      [{ zone: 'CET' }, 'zone_unknown'],
      // Known to PostgreSQL alone.
      [{ zone: 'posixrules' }, 'zone_unknown'],
      [{ callNumber: 'call us' }, 'call_number_invalid'],
      [{ callNumber: '1' }, 'call_number_invalid'],
      [{ callNumber: '110;drop' }, 'call_number_invalid'],
      [{ parentId: '0198c0de-0000-4000-8000-000000000000' }, 'agency_not_found'],
      [{ jurisdiction: { type: 'Polygon', coordinates: [bowTie] } }, 'jurisdiction_invalid'],
      [{ jurisdiction: { type: 'Polygon', coordinates: [square(179, 0, 181, 1)] } }, 'jurisdiction_invalid'],
      [{ jurisdiction: { type: 'MultiPolygon', coordinates: [] } }, 'jurisdiction_invalid'],
    ];
    it.each(wrong)('are refused with %j', async (draft, code) => {
      await expect(create(draft)).rejects.toMatchObject({ code });
    });

    it('have names of their own', async () => {
      await create({ name: 'Twice' });
      await expect(create({ name: 'Twice' })).rejects.toMatchObject({ code: 'agency_name_taken' });
    });

    it('keep a zone in which both clocks have the same hour', async () => {
      const zones = [
        'Asia/Shanghai',
        'Asia/Kathmandu',
        'America/Sao_Paulo',
        'Europe/Paris',
        'Etc/GMT+8',
        'Asia/Calcutta',
        'UTC',
      ];
      const at = '2026-07-01T12:00:00Z';
      for (const zone of zones) {
        const { zone: kept } = await api.app.get(Agencies, { strict: false }).agencyById(await create({ zone }));
        const [row] = await source.query<{ hour: number }[]>(
          'SELECT extract(hour FROM $1::timestamptz AT TIME ZONE $2)::int AS hour',
          [at, kept],
        );
        expect([zone, row?.hour]).toEqual([zone, hourIn(kept, new Date(at))]);
      }
    });

    it('take a whole country', async () => {
      await expect(create({ jurisdiction: SHENZHEN_SQUARE })).resolves.toMatch(/^[0-9a-f-]{36}$/);
    });
  });

  describe('officers', () => {
    it('have a login of their own in any case', async () => {
      const { login } = await newOfficer();
      await expect(newOfficer({ login: login.toUpperCase() })).rejects.toMatchObject({ code: 'login_taken' });
    });

    it.each<[Partial<OfficerDraft>, string]>([
      [{ roles: ['administrator', 'verifier'] }, 'roles_conflict'],
      [{ password: 'fourteen chars' }, 'password_unsuitable'],
      [{ password: 'x'.repeat(257) }, 'password_unsuitable'],
      [{ agencyId: '0198c0de-0000-4000-8000-000000000000' }, 'agency_not_found'],
    ])('are refused with %j', async (draft, code) => {
      await expect(newOfficer(draft)).rejects.toMatchObject({ code });
    });

    it('are counted in characters, not in units, for their password', async () => {
      const animals = '🦉🐈🐎🐇🐢🐝🦊🐋🐌🦔🐿🦢🦜🐁🦡';
      await expect(newOfficer({ password: animals })).resolves.toBeDefined();
      await expect(newOfficer({ password: [...animals].slice(0, 8).join('') })).rejects.toMatchObject({
        code: 'password_unsuitable',
        members: { reason: 'too_short' },
      });
    });
  });

  describe('agency keys', () => {
    it('work until they are revoked, and are kept as a hash', async () => {
      const keys = api.app.get(AgencyKeys, { strict: false });
      const { id, secret } = await transact((tx) => keys.create(tx, agencyId, 'test'));
      const [row] = await source.query<{ row: string }[]>(
        'SELECT agency_keys::text AS row FROM agency_keys WHERE id = $1',
        [id],
      );
      expect(row?.row).not.toContain(secret);
      expect(await keys.actorOf(secret)).toEqual({ kind: 'agency_key', id, agencyId });
      await expect(keys.actorOf(`${secret}x`)).rejects.toMatchObject({ code: 'agency_key_invalid' });
      expect(await transact((tx) => keys.revoke(tx, id))).toBe(agencyId);
      await expect(keys.actorOf(secret)).rejects.toMatchObject({ code: 'agency_key_invalid' });
      await transact((tx) => keys.revoke(tx, id));
      const unknown = '0198c0de-0000-4000-8000-000000000000';
      await expect(transact((tx) => keys.revoke(tx, unknown))).rejects.toMatchObject({ code: 'agency_key_not_found' });
    });
  });
});
