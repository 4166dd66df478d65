import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Agencies, AgencyKeys, authorize, Officers, Reviews, Sessions, STEP_UP_S } from '#access';
import { Refusal } from '#platform';
import { call, makeAgency, makeOfficer, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { atWork, audited, type Colleague, hire, tire } from './harness/staff.ts';

describe('authority', () => {
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

  const get = <Service>(service: new (...parts: never[]) => Service) => api.app.get(service, { strict: false });
  const actorOf = (officer: Colleague) => get(Sessions).actorOf(officer.cookie.split('=')[1] ?? '');
  const stepUp = (officer: Colleague, password = officer.password) =>
    officer.ask('POST', '/v1/session/step-up', { password });

  describe('a step-up', () => {
    const gone = new Refusal('case_not_found', 'No such case.');
    const decide = async (officer: Colleague) => {
      const actor = await actorOf(officer);
      try {
        authorize(actor, 'case.decide', { agencyId, authorIds: [] }, gone);
        return 'done';
      } catch (error) {
        return (error as Refusal).code;
      }
    };

    it('is what signing in is, for five minutes, and then it takes the password again', async () => {
      const verifier = await hire(api, agencyId, 'verifier');
      expect(await decide(verifier)).toBe('done');
      await tire(source, verifier.id, STEP_UP_S / 60 - 1);
      expect(await decide(verifier)).toBe('done');
      await tire(source, verifier.id, 1);
      expect(await decide(verifier)).toBe('step_up_required');
      expect(await stepUp(verifier, 'a wrong password indeed')).toMatchObject({
        status: 403,
        body: { code: 'password_wrong' },
      });
      expect(await decide(verifier)).toBe('step_up_required');
      expect((await stepUp(verifier)).status).toBe(204);
      expect(await decide(verifier)).toBe('done');
    });

    it('stands for its own session alone', async () => {
      const here = await hire(api, agencyId, 'verifier');
      const there = await atWork(api, here);
      await tire(source, here.id);
      await stepUp(here);
      expect([await decide(here), await decide(there)]).toEqual(['done', 'step_up_required']);
    });

    it('is throttled as signing in is', async () => {
      const verifier = await hire(api, agencyId, 'verifier');
      for (let i = 0; i < 5; i++) expect((await stepUp(verifier, `wrong password ${i}`)).status).toBe(403);
      const stopped = await stepUp(verifier);
      expect(stopped).toMatchObject({ status: 429, body: { code: 'too_many_attempts' } });
      expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await verifier.ask('GET', '/v1/session')).status).toBe(200);
    });

    it('is audited', async () => {
      const own = await makeAgency(api.app);
      const verifier = await hire(api, own, 'verifier');
      await stepUp(verifier, 'a wrong password indeed');
      await stepUp(verifier);
      expect(await audited(source, own)).toEqual(['session.open', 'session.step_up']);
    });
  });

  describe('sessions', () => {
    interface Listed {
      readonly sessions: { id: string; current: boolean; network: string; seenAt: string }[];
    }
    const list = async (officer: Colleague) => (await officer.ask<Listed>('GET', '/v1/sessions')).body.sessions;

    it('are listed to their officer alone, by an id that opens nothing', async () => {
      const here = await hire(api, agencyId, 'liaison');
      const elsewhere = await call(api.url, 'POST', '/v1/session', {
        json: { login: here.login, password: here.password },
        headers: { 'x-forwarded-for': '203.0.113.77' },
      });
      const stranger = await hire(api, agencyId, 'liaison');
      const listed = await list(here);
      expect(listed.map(({ current }) => current)).toEqual([false, true]);
      expect(new Set(listed.map(({ network }) => network)).size).toBe(2);
      expect(await list(stranger)).toHaveLength(1);
      const told = JSON.stringify(listed);
      for (const cookie of [here.cookie, elsewhere.headers.getSetCookie()[0] ?? '']) {
        expect(told).not.toContain(cookie.split(/[=;]/)[1]);
      }
      expect(told).not.toContain('203.0.113');
      for (const { id } of listed) {
        expect((await call(api.url, 'GET', '/v1/session', { cookie: `g72_session=${id}` })).status).toBe(401);
      }
    });

    it('are ended one by one, and nobody ends another officer’s', async () => {
      const here = await hire(api, agencyId, 'liaison');
      const there = await atWork(api, here);
      const stranger = await hire(api, agencyId, 'administrator');
      const id = (await list(here)).find(({ current }) => !current)?.id ?? '';
      const foreign = await stranger.ask('DELETE', `/v1/sessions/${id}`);
      const missing = await stranger.ask('DELETE', `/v1/sessions/${randomUUID()}`);
      expect([foreign.status, foreign.body['code']]).toEqual([404, 'session_not_found']);
      expect({ ...foreign.body, instance: '' }).toEqual({ ...missing.body, instance: '' });
      expect((await there.ask('GET', '/v1/session')).status).toBe(200);
      expect((await here.ask('DELETE', `/v1/sessions/${id}`)).status).toBe(204);
      expect((await there.ask('GET', '/v1/session')).status).toBe(401);
      expect((await here.ask('DELETE', `/v1/sessions/${id}`)).status).toBe(404);
    });

    it('are ended all but this one', async () => {
      const here = await hire(api, agencyId, 'liaison');
      const others = [await atWork(api, here), await atWork(api, here)];
      const stranger = await hire(api, agencyId, 'liaison');
      expect((await here.ask('DELETE', '/v1/sessions')).status).toBe(204);
      for (const other of others) expect((await other.ask('GET', '/v1/session')).status).toBe(401);
      expect((await here.ask('GET', '/v1/session')).status).toBe(200);
      expect((await stranger.ask('GET', '/v1/session')).status).toBe(200);
    });
  });

  describe('a freeze', () => {
    it('shuts an officer out at the next request, until a thaw, and they sign in anew', async () => {
      const officer = await hire(api, agencyId, 'verifier');
      await source.transaction((tx) => get(Officers).freeze(tx, officer.id));
      expect((await officer.ask('GET', '/v1/session')).status).toBe(401);
      await expect(atWork(api, officer)).rejects.toThrow('sign_in_failed');
      await source.transaction((tx) => get(Officers).thaw(tx, officer.id));
      expect((await officer.ask('GET', '/v1/session')).status).toBe(401);
      expect((await (await atWork(api, officer)).ask('GET', '/v1/session')).status).toBe(200);
    });

    it('shuts an agency’s officers and keys out, and those of no other', async () => {
      const frozen = await makeAgency(api.app);
      const below = await makeAgency(api.app, { parentId: frozen });
      const [inside, outside] = [await hire(api, frozen, 'liaison'), await hire(api, below, 'liaison')];
      const { secret } = await source.transaction((tx) => get(AgencyKeys).create(tx, frozen, 'records'));
      await source.transaction((tx) => get(Agencies).freeze(tx, frozen));
      expect((await inside.ask('GET', '/v1/session')).status).toBe(401);
      await expect(atWork(api, inside)).rejects.toThrow('sign_in_failed');
      await expect(get(AgencyKeys).actorOf(secret)).rejects.toMatchObject({ code: 'agency_key_invalid' });
      expect((await outside.ask('GET', '/v1/session')).status).toBe(200);
      await source.transaction((tx) => get(Agencies).thaw(tx, frozen));
      expect((await inside.ask('GET', '/v1/session')).status).toBe(401);
      expect((await (await atWork(api, inside)).ask('GET', '/v1/session')).status).toBe(200);
      expect(await get(AgencyKeys).actorOf(secret)).toMatchObject({ agencyId: frozen });
    });

    it('counts however it came about', async () => {
      const own = await makeAgency(api.app);
      const [one, other] = [await hire(api, own, 'liaison'), await hire(api, own, 'liaison')];
      await source.query('UPDATE officers SET frozen_at = now() WHERE id = $1', [one.id]);
      expect((await one.ask('GET', '/v1/session')).status).toBe(401);
      expect((await other.ask('GET', '/v1/session')).status).toBe(200);
      await source.query('UPDATE agencies SET frozen_at = now() WHERE id = $1', [own]);
      expect((await other.ask('GET', '/v1/session')).status).toBe(401);
    });
  });

  it('an actor knows every agency below, at any depth, and none above or beside', async () => {
    const top = await makeAgency(api.app);
    const middle = await makeAgency(api.app, { parentId: top });
    const [left, right] = [
      await makeAgency(api.app, { parentId: middle }),
      await makeAgency(api.app, { parentId: middle }),
    ];
    const below = async (id: string) => [...(await actorOf(await hire(api, id, 'verifier'))).belowIds].sort();
    expect(await below(top)).toEqual([middle, left, right].sort());
    expect(await below(middle)).toEqual([left, right].sort());
    expect(await below(left)).toEqual([]);
  });

  describe('reviews', () => {
    let parent: string;
    let own: string;
    let acted: Colleague;
    let colleague: Colleague;
    let above: Colleague;

    interface Listed {
      readonly reviews: { id: string; verdict: string | null; settledBy: string | null }[];
      readonly next: string | null;
    }

    beforeAll(async () => {
      parent = await makeAgency(api.app);
      own = await makeAgency(api.app, { parentId: parent });
      [acted, colleague, above] = [
        await hire(api, own, 'verifier'),
        await hire(api, own, 'verifier'),
        await hire(api, parent, 'verifier'),
      ];
    });

    const add = (act = 'alert.hold', officerId = acted.id, of = own) =>
      source.transaction((tx) =>
        get(Reviews).add(tx, { agencyId: of, act, thing: `alert:${randomUUID()}`, officerId }),
      );
    const open = async (officer: Colleague) =>
      (await officer.ask<Listed>('GET', '/v1/reviews')).body.reviews.map(({ id }) => id);
    const settle = (officer: Colleague, id: string, verdict = 'upheld') =>
      officer.ask('POST', `/v1/reviews/${id}`, { verdict });

    it('are listed to verifiers of the agency and of those above, to nobody else', async () => {
      const id = await add();
      expect(await open(colleague)).toContain(id);
      expect(await open(above)).toContain(id);
      const stranger = await hire(api, agencyId, 'verifier');
      expect(await open(stranger)).not.toContain(id);
      for (const role of ['liaison', 'analyst', 'administrator'] as const) {
        const answer = await (await hire(api, own, role)).ask('GET', '/v1/reviews');
        expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      }
      const absent = await settle(stranger, randomUUID());
      expect({ ...(await settle(stranger, id)).body, instance: '' }).toEqual({ ...absent.body, instance: '' });
    });

    it('are settled once, by another officer than the one who acted', async () => {
      const id = await add();
      expect(await settle(acted, id)).toMatchObject({ status: 403, body: { code: 'verifier_is_author' } });
      expect(await settle(colleague, id, 'perhaps')).toMatchObject({ status: 400 });
      const both = await Promise.all([settle(colleague, id, 'overturned'), settle(above, id, 'upheld')]);
      expect(both.map(({ status }) => status).sort()).toEqual([204, 409]);
      expect(await open(colleague)).not.toContain(id);
      const { reviews } = (await above.ask<Listed>('GET', '/v1/reviews?open=false')).body;
      const winner = both[0]?.status === 204 ? colleague.id : above.id;
      expect(reviews.find((one) => one.id === id)).toMatchObject({ settledBy: winner });
      await expect(source.query('UPDATE reviews SET settled_by = officer_id WHERE id = $1', [id])).rejects.toThrow(
        'check constraint',
      );
    });

    it('come in pages, the oldest first', async () => {
      const busy = await makeAgency(api.app);
      const [doer, reader] = [await hire(api, busy, 'verifier'), await hire(api, busy, 'verifier')];
      const ids: string[] = [];
      for (let i = 0; i < 53; i++) ids.push(await add('alert.stop', doer.id, busy));
      const first = (await reader.ask<Listed>('GET', '/v1/reviews')).body;
      const second = (await reader.ask<Listed>('GET', `/v1/reviews?after=${first.next}`)).body;
      expect([...first.reviews, ...second.reviews].map(({ id }) => id)).toEqual(ids);
      expect(second.next).toBeNull();
      expect(await audited(source, busy)).toEqual(
        expect.arrayContaining(['session.open', 'session.open', 'review.list', 'review.list']),
      );
    });
  });

  it('an officer without a password is let in by nothing', async () => {
    const { id, login } = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    await source.query('UPDATE officers SET password_hash = NULL WHERE id = $1', [id]);
    for (const password of ['', 'null', 'correct horse battery staple']) {
      const answer = await call(api.url, 'POST', '/v1/session', { json: { login, password } });
      expect([400, 401]).toContain(answer.status);
    }
  });
});
