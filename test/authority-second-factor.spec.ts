import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import { DataSource } from 'typeorm';
import { SIGN_IN_LIMITS } from '#access';
import { Clock } from '#platform';
import { call, makeAgency, makeOfficer, startApi, type TestApi, type TestOfficer } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { atWork, audited, type Colleague, hire, tire } from './harness/staff.ts';

describe('a second factor', () => {
  let database: TestDatabase;
  let api: TestApi;
  let source: DataSource;
  let agencyId: string;
  /** The api's wall clock, so that codes come without waiting for them. */
  let nowMs = Date.UTC(2026, 2, 1, 3);

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url, TRUST_PROXY: 'true' });
    source = api.app.get(DataSource);
    agencyId = await makeAgency(api.app);
    Object.assign(api.app.get(Clock, { strict: false }), { now: () => new Date(nowMs) });
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const codeAt = (secret: string, stepsAway = 0) =>
    generateSync({ secret, epoch: Math.floor(nowMs / 1000) + stepsAway * 30 });
  const nextCode = (secret: string) => {
    nowMs += 30_000;
    return codeAt(secret);
  };

  interface Enrolled {
    readonly officer: Colleague;
    readonly secret: string;
    readonly recoveryCodes: string[];
  }
  const enrol = async (officer: Colleague): Promise<Enrolled> => {
    const begun = await officer.ask<{ secret: string; uri: string }>('POST', '/v1/second-factor');
    const { secret } = begun.body;
    const confirmed = await officer.ask<{ recoveryCodes: string[] }>('POST', '/v1/second-factor/confirm', {
      code: nextCode(secret),
    });
    expect([begun.status, confirmed.status]).toEqual([200, 200]);
    return { officer, secret, recoveryCodes: confirmed.body.recoveryCodes };
  };
  const enrolled = async () => enrol(await hire(api, agencyId, 'verifier'));
  const tryIn = ({ login, password }: TestOfficer, code?: string, address = '192.0.2.1') =>
    call(api.url, 'POST', '/v1/session', {
      json: { login, password, ...(code === undefined ? {} : { code }) },
      headers: { 'x-forwarded-for': address },
    });

  it('is asked for at sign-in once it is set up, and takes each code once', async () => {
    const { officer, secret } = await enrolled();
    const without = await tryIn(officer);
    expect(without).toMatchObject({
      status: 401,
      body: { code: 'second_factor_required', secondFactor: ['totp', 'recovery_code'] },
    });
    expect(without.headers.getSetCookie()).toEqual([]);
    const code = nextCode(secret);
    expect((await tryIn(officer, code)).status).toBe(200);
    expect(await tryIn(officer, code)).toMatchObject({ status: 401, body: { code: 'sign_in_failed' } });
    // Older than the newest that was used, though it is of the step before and unused.
    expect((await tryIn(officer, codeAt(secret, -1))).status).toBe(401);
    const spaced = codeAt(secret, 1).replace(/(...)/, '$1 ');
    expect((await tryIn(officer, spaced)).status).toBe(200);
    expect((await tryIn({ ...officer, password: 'a wrong password indeed' }, nextCode(secret))).body).toMatchObject({
      code: 'sign_in_failed',
    });
  });

  it('lets one of two in who come with the same code at the same time', async () => {
    const { officer, secret } = await enrolled();
    const code = nextCode(secret);
    const answers = await Promise.all([tryIn(officer, code), tryIn(officer, code), tryIn(officer, code)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
  });

  it('counts only once it is confirmed, and begins anew until then', async () => {
    const officer = await hire(api, agencyId, 'verifier');
    const first = await officer.ask<{ secret: string }>('POST', '/v1/second-factor');
    const second = await officer.ask<{ secret: string }>('POST', '/v1/second-factor');
    expect((await tryIn(officer)).status).toBe(200);
    const wrong = await officer.ask('POST', '/v1/second-factor/confirm', { code: nextCode(first.body.secret) });
    expect(wrong).toMatchObject({ status: 403, body: { code: 'second_factor_code_wrong' } });
    const code = codeAt(second.body.secret);
    expect((await officer.ask('POST', '/v1/second-factor/confirm', { code })).status).toBe(200);
    for (const path of ['/v1/second-factor', '/v1/second-factor/confirm']) {
      const again = await officer.ask('POST', path, path.endsWith('confirm') ? { code } : undefined);
      expect(again).toMatchObject({ status: 409, body: { code: 'second_factor_enrolled' } });
    }
  });

  it('ends the other sessions when it is set up and when it is removed', async () => {
    const here = await hire(api, agencyId, 'verifier');
    const there = await atWork(api, here);
    const { secret } = await enrol(here);
    expect((await there.ask('GET', '/v1/session')).status).toBe(401);
    expect((await here.ask('GET', '/v1/session')).body).toMatchObject({
      secondFactor: { enrolled: true, required: false, recoveryCodesLeft: 10 },
    });
    const again = await tryIn(here, nextCode(secret));
    const cookie = again.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect((await here.ask('DELETE', '/v1/second-factor')).status).toBe(204);
    expect((await call(api.url, 'GET', '/v1/session', { cookie })).status).toBe(401);
    expect((await tryIn(here)).status).toBe(200);
  });

  it('is removed and begun by a fresh proof alone, which takes a code itself', async () => {
    const { officer, secret } = await enrolled();
    await tire(source, officer.id);
    for (const [method, path] of [
      ['POST', '/v1/second-factor'],
      ['POST', '/v1/second-factor/recovery-codes'],
      ['DELETE', '/v1/second-factor'],
    ] as const) {
      expect(await officer.ask(method, path)).toMatchObject({ status: 403, body: { code: 'step_up_required' } });
    }
    const stepUp = (code?: string) =>
      officer.ask('POST', '/v1/session/step-up', { password: officer.password, ...(code ? { code } : {}) });
    expect(await stepUp()).toMatchObject({ status: 401, body: { code: 'second_factor_required' } });
    expect(await stepUp('000000')).toMatchObject({ status: 403, body: { code: 'second_factor_code_wrong' } });
    expect((await stepUp(nextCode(secret))).status).toBe(204);
    expect((await officer.ask('DELETE', '/v1/second-factor')).status).toBe(204);
    expect(await officer.ask('DELETE', '/v1/second-factor')).toMatchObject({
      body: { code: 'second_factor_not_enrolled' },
    });
  });

  it('has recovery codes: each lets in once, and new ones end the old', async () => {
    const { officer, recoveryCodes } = await enrolled();
    expect(new Set(recoveryCodes).size).toBe(10);
    const [first = '', second = '', third = ''] = recoveryCodes;
    expect((await tryIn(officer, first.toLowerCase().replaceAll('-', ' '))).status).toBe(200);
    expect((await tryIn(officer, first)).status).toBe(401);
    const both = await Promise.all([tryIn(officer, second), tryIn(officer, second)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    const fresh = await officer.ask<{ recoveryCodes: string[] }>('POST', '/v1/second-factor/recovery-codes');
    expect(fresh.body.recoveryCodes).toHaveLength(10);
    expect((await tryIn(officer, third)).status).toBe(401);
    expect((await tryIn(officer, fresh.body.recoveryCodes[0])).status).toBe(200);
    const [{ body }] = [await officer.ask('GET', '/v1/session')];
    expect(body).toMatchObject({ secondFactor: { recoveryCodesLeft: 9 } });
  });

  it('is kept sealed and hashed, and beside its officer alone', async () => {
    const [one, other] = [await enrolled(), await enrolled()];
    const rows = await source.query<{ row: string }[]>(
      'SELECT f::text AS row FROM second_factors f UNION ALL SELECT c::text FROM recovery_codes c',
    );
    const stored = rows
      .map(({ row }) => row)
      .join()
      .toUpperCase();
    for (const secret of [one.secret, ...one.recoveryCodes]) {
      for (const form of [secret, secret.replaceAll('-', '')]) {
        expect(stored).not.toContain(form);
        expect(stored).not.toContain(Buffer.from(form).toString('hex').toUpperCase());
      }
    }
    await source.query(
      'UPDATE second_factors SET secret = (SELECT secret FROM second_factors WHERE officer_id = $2) WHERE officer_id = $1',
      [one.officer.id, other.officer.id],
    );
    expect((await tryIn(one.officer, nextCode(other.secret))).status).toBe(500);
  });

  it('is guessed by nobody who has the password, and guessing shuts its officer out nowhere known', async () => {
    const { officer, secret } = await enrolled();
    expect((await tryIn(officer, nextCode(secret), '198.51.100.20')).status).toBe(200);
    const guess = (i: number) => tryIn(officer, '000000', `203.0.113.${i}`);
    for (let i = 0; i < SIGN_IN_LIMITS.code.points; i++) expect((await guess(i)).status).toBe(401);
    const stopped = await guess(200);
    expect(stopped).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
    expect((await tryIn(officer, nextCode(secret), '203.0.113.201')).status).toBe(429);
    expect((await tryIn(officer, nextCode(secret), '198.51.100.20')).status).toBe(200);
  });

  it('is audited', async () => {
    const own = await makeAgency(api.app);
    const { officer, secret, recoveryCodes } = await enrol(await hire(api, own, 'verifier'));
    await tryIn(officer, nextCode(secret));
    await tryIn(officer, recoveryCodes[0]);
    await officer.ask('POST', '/v1/second-factor/recovery-codes');
    await officer.ask('DELETE', '/v1/second-factor');
    expect(await audited(source, own)).toEqual([
      'session.open',
      'second_factor.enrol',
      'session.open',
      'session.open',
      'second_factor.codes',
      'second_factor.remove',
    ]);
    const factors = await source.query<{ factor: string | null }[]>(
      `SELECT detail ->> 'factor' AS factor FROM audit_entries WHERE agency_id = $1 AND action = 'session.open' ORDER BY seq`,
      [own],
    );
    expect(factors.map(({ factor }) => factor)).toEqual([null, 'totp', 'recovery_code']);
  });

  describe('where it is required', () => {
    let strict: TestApi;

    beforeAll(async () => {
      strict = await startApi({ databaseUrl: database.url, SECOND_FACTOR: 'required' });
      Object.assign(strict.app.get(Clock, { strict: false }), { now: () => new Date(nowMs) });
    });

    afterAll(async () => {
      await strict?.close();
    });

    it('opens a session without one to nothing but setting it up', async () => {
      const officer = await hire(strict, agencyId, 'verifier');
      const { body } = await officer.ask('GET', '/v1/session');
      expect(body).toMatchObject({ secondFactor: { enrolled: false, required: true } });
      const closed = [
        ['GET', '/v1/cases'],
        ['GET', '/v1/sessions'],
        ['DELETE', '/v1/sessions'],
        ['GET', '/v1/reviews'],
        ['DELETE', '/v1/second-factor'],
        ['POST', '/v1/second-factor/recovery-codes'],
      ] as const;
      for (const [method, path] of closed) {
        const answer = await officer.ask(method, path);
        expect([path, answer.status, answer.body['code']]).toEqual([path, 403, 'second_factor_missing']);
      }
      const { secret } = await enrol(officer);
      expect((await officer.ask('GET', '/v1/reviews')).status).toBe(200);
      await officer.ask('DELETE', '/v1/second-factor');
      expect((await officer.ask('GET', '/v1/reviews')).status).toBe(403);
      const again = await enrol(officer);
      const signedIn = await call(strict.url, 'POST', '/v1/session', {
        json: { login: officer.login, password: officer.password, code: nextCode(again.secret) },
      });
      expect(again.secret).not.toBe(secret);
      const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      expect((await call(strict.url, 'GET', '/v1/reviews', { cookie })).status).toBe(200);
    });

    it('holds for sessions that were opened before it was', async () => {
      const officer = await makeOfficer(api.app, { agencyId, roles: ['verifier'] });
      const before = await atWork(api, officer);
      expect((await before.ask('GET', '/v1/reviews')).status).toBe(200);
      const answer = await call(strict.url, 'GET', '/v1/reviews', { cookie: before.cookie });
      expect(answer).toMatchObject({ status: 403, body: { code: 'second_factor_missing' } });
    });
  });
});
