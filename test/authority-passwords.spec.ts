import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Invitations, SIGN_IN_LIMITS } from '#access';
import { call, makeAgency, makeOfficer, startApi, type TestApi, type TestOfficer } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { contended } from './harness/contended.ts';
import { atWork, audited, type Colleague, hire } from './harness/staff.ts';
import { until } from './harness/until.ts';

const NEXT = 'gravel lantern otter turquoise';

describe('passwords', () => {
  let database: TestDatabase;
  let api: TestApi;
  let source: DataSource;
  let agencyId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url, TRUST_PROXY: 'true' });
    source = api.app.get(DataSource);
    agencyId = await makeAgency(api.app, { name: 'Harbour Lighthouse Police' });
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const tryIn = ({ login, password }: Pick<TestOfficer, 'login' | 'password'>, address = '192.0.2.1', cookie = '') =>
    call(api.url, 'POST', '/v1/session', {
      json: { login, password },
      headers: { 'x-forwarded-for': address, cookie },
    });
  const change = (officer: Colleague, next: string, present = officer.password) =>
    officer.ask('PUT', '/v1/password', { present, next });

  it('are changed by who knows the present one, and end the other sessions', async () => {
    const here = await hire(api, agencyId, 'liaison');
    const there = await atWork(api, here);
    expect(await change(here, NEXT, 'a wrong password indeed')).toMatchObject({
      status: 403,
      body: { code: 'password_wrong' },
    });
    expect((await change(here, NEXT)).status).toBe(204);
    expect((await there.ask('GET', '/v1/session')).status).toBe(401);
    expect((await here.ask('GET', '/v1/session')).status).toBe(200);
    expect((await tryIn(here)).status).toBe(401);
    expect((await tryIn({ ...here, password: NEXT })).status).toBe(200);
  });

  it.each([
    ['fourteen chars', 'too_short'],
    ['password1password2', 'leaked'],
    ['harbour lighthouse police', 'names_you'],
    ['aaaaaaaaaaaaaaaaaaaa', 'guessable'],
  ])('%j is refused as %s, and the present one stays', async (next, reason) => {
    const officer = await hire(api, agencyId, 'liaison');
    expect(await change(officer, next)).toMatchObject({ status: 422, body: { code: 'password_unsuitable', reason } });
    expect((await tryIn(officer)).status).toBe(200);
  });

  it('lets nobody in who signs in with the old one while it is changed', async () => {
    const officer = await hire(api, agencyId, 'liaison');
    const change = `UPDATE officers SET password_hash = password_hash || ' changed' WHERE id = $1`;
    const late = await contended(source, change, officer.id, 1, () => tryIn(officer));
    expect(late).toMatchObject({ status: 401, body: { code: 'sign_in_failed' } });
    expect(late.headers.getSetCookie()).toEqual([]);
  });

  it('are changed by one of two who know the present one', async () => {
    const officer = await hire(api, agencyId, 'liaison');
    const lock = 'SELECT 1 FROM officers WHERE id = $1 FOR UPDATE';
    const answers = await contended(source, lock, officer.id, 2, () =>
      Promise.all([change(officer, NEXT), change(officer, `${NEXT} again`)]),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 403]);
  });

  it('are audited', async () => {
    const own = await makeAgency(api.app);
    const officer = await hire(api, own, 'liaison');
    await change(officer, NEXT);
    expect(await audited(source, own)).toEqual(['session.open', 'password.change']);
  });

  describe('an invitation', () => {
    const issue = (officer: TestOfficer) =>
      source.transaction((tx) => api.app.get(Invitations, { strict: false }).issue(tx, officer.id));
    const accept = (secret: string, password = NEXT) =>
      call(api.url, 'POST', '/v1/invitations/accept', { json: { secret, password } });

    it('sets a password once, ends the sessions, and is kept as a hash', async () => {
      const officer = await hire(api, agencyId, 'liaison');
      const { secret } = await issue(officer);
      const rows = await source.query<{ row: string }[]>('SELECT i::text AS row FROM invitations i');
      expect(rows.map(({ row }) => row).join()).not.toContain(Buffer.from(secret).toString('hex'));
      expect(await accept(secret, 'fourteen chars')).toMatchObject({ status: 422 });
      expect(await accept(secret)).toMatchObject({ status: 200, body: { login: officer.login } });
      expect((await officer.ask('GET', '/v1/session')).status).toBe(401);
      expect((await tryIn({ ...officer, password: NEXT })).status).toBe(200);
      expect(await accept(secret)).toMatchObject({ status: 401, body: { code: 'invitation_invalid' } });
    });

    it('is worth nothing once it is 72 hours old, replaced or made up, alike', async () => {
      const [late, replaced] = [
        await makeOfficer(api.app, { agencyId, roles: ['liaison'] }),
        await makeOfficer(api.app, { agencyId, roles: ['liaison'] }),
      ];
      const [old, first] = [await issue(late), await issue(replaced)];
      expect(old.expiresAt.getTime() - Date.now()).toBeGreaterThan(71.9 * 3_600_000);
      await source.query('UPDATE invitations SET expires_at = now() WHERE officer_id = $1', [late.id]);
      await issue(replaced);
      const answers = [await accept(old.secret), await accept(first.secret), await accept('A'.repeat(43))];
      for (const { status, body } of answers) {
        expect([status, body['code'], body['detail']]).toEqual([401, 'invitation_invalid', answers[0]?.body['detail']]);
      }
      expect((await tryIn(late)).status).toBe(200);
    });

    it('works for one of two who use it at the same time', async () => {
      const { secret } = await issue(await makeOfficer(api.app, { agencyId, roles: ['liaison'] }));
      const answers = await Promise.all([accept(secret), accept(secret, `${NEXT} again`)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    });
  });

  describe('guessing', () => {
    const browserOf = (answer: { headers: Headers }) =>
      answer.headers
        .getSetCookie()
        .find((cookie) => cookie.includes('g72_browser='))
        ?.split(';')[0] ?? '';
    const guess = (login: string, address: string, times: number) =>
      Promise.all(Array.from({ length: times }, () => tryIn({ login, password: 'a wrong password indeed' }, address)));

    it('from the desk beside it shuts nobody out of the browser they have signed in with', async () => {
      const officer = await makeOfficer(api.app, { agencyId, roles: ['verifier'] });
      const first = await tryIn(officer, '198.51.100.50');
      expect(browserOf(first)).toMatch(/^g72_browser=[\w-]{43}$/);
      await guess(officer.login, '198.51.100.50', SIGN_IN_LIMITS.pair.points);
      expect((await tryIn(officer, '198.51.100.50')).status).toBe(429);
      expect((await tryIn(officer, '198.51.100.50', browserOf(first))).status).toBe(200);
      // And the whole network's budget is not theirs to spend.
      for (let i = 0; i < SIGN_IN_LIMITS.address.points; i += 20) {
        await Promise.all(
          Array.from({ length: 20 }, (_, j) =>
            tryIn({ login: `nobody-${i + j}`, password: 'a wrong password indeed' }, '198.51.100.50'),
          ),
        );
      }
      expect((await tryIn(officer, '198.51.100.50', browserOf(first))).status).toBe(200);
    });

    it('gains nothing by a browser’s name that is made up, another’s, or its own', async () => {
      const [victim, attacker] = [
        await makeOfficer(api.app, { agencyId, roles: ['verifier'] }),
        await makeOfficer(api.app, { agencyId, roles: ['liaison'] }),
      ];
      const attackers = browserOf(await tryIn(attacker, '198.51.100.60'));
      const wrong = { ...victim, password: 'a wrong password indeed' };
      const names = [attackers, `g72_browser=${'A'.repeat(43)}`, 'g72_browser=x', `g72_browser=${'B'.repeat(43)}`];
      for (let i = 0; i < SIGN_IN_LIMITS.pair.points; i++) {
        expect((await tryIn(wrong, '198.51.100.61', names[i % names.length])).status).toBe(401);
      }
      for (const name of names) expect((await tryIn(wrong, '198.51.100.61', name)).status).toBe(429);
      const victims = browserOf(await tryIn(victim, '198.51.100.62'));
      for (let i = 0; i < SIGN_IN_LIMITS.pair.points; i++) {
        expect((await tryIn(wrong, '198.51.100.63', victims)).status).toBe(401);
      }
      expect((await tryIn(wrong, '198.51.100.64', victims)).status).toBe(429);
    });

    it('is written into the officer’s chain once a burst, and an unknown login into none', async () => {
      const own = await makeAgency(api.app);
      const officer = await makeOfficer(api.app, { agencyId: own, roles: ['verifier'] });
      for (const address of ['203.0.113.80', '203.0.113.81', '203.0.113.82']) {
        await guess(officer.login, address, SIGN_IN_LIMITS.pair.points + 3);
        await guess(`${officer.login.slice(0, -1)}_`, address, SIGN_IN_LIMITS.pair.points + 3);
      }
      const refused = await until('the burst is told', async () => {
        const rows = await source.query<unknown[]>(
          `SELECT actor, thing, detail FROM audit_entries WHERE agency_id = $1 AND action = 'session.refuse'`,
          [own],
        );
        return rows.length > 0 && rows;
      });
      expect(refused).toEqual([
        { actor: 'unknown', thing: `officer:${officer.id}`, detail: { cause: 'too_many_attempts' } },
      ]);
    });
  });
});
