import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Officers } from '#access';
import { call, makeAgency, makeOfficer, startApi, type TestApi, type TestOfficer } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { atWork, audited, type Colleague, hire, tire } from './harness/staff.ts';

interface Administered {
  readonly officerId: string;
  readonly grantId: string | null;
  readonly secret: string;
  readonly code: string;
}

interface Listed {
  readonly officers: {
    id: string;
    roles: string[];
    proposedRoles: string[] | null;
    passwordSet: boolean;
    invitationOpen: boolean;
    secondFactor: boolean;
  }[];
}

interface Grants {
  readonly grants: { id: string; officer: { id: string }; roles: string[]; invitationOpen: boolean }[];
}

describe('administration', () => {
  let database: TestDatabase;
  let api: TestApi;
  let source: DataSource;
  let parent: string;
  let agencyId: string;
  let administrator: Colleague;
  let verifier: Colleague;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    source = api.app.get(DataSource);
    parent = await makeAgency(api.app);
  });

  beforeEach(async () => {
    agencyId = await makeAgency(api.app, { parentId: parent });
    administrator = await hire(api, agencyId, 'administrator');
    verifier = await hire(api, agencyId, 'verifier');
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const newLogin = () => `new-${randomUUID()}`;
  const invite = (roles: string[], by = administrator, login = newLogin()) =>
    by.ask<Administered>('POST', '/v1/officers', { login, name: '新警官', roles });
  const accept = (secret: string, password = 'gravel lantern otter turquoise') =>
    call<{ login: string; code: string }>(api.url, 'POST', '/v1/invitations/accept', { json: { secret, password } });
  const rolesOf = async (officerId: string) =>
    (await source.query<{ roles: string[] }[]>('SELECT roles FROM officers WHERE id = $1', [officerId]))[0]?.roles;
  const settle = (by: Colleague, grantId: string | null, how = 'confirm') =>
    by.ask('POST', `/v1/grants/${grantId}/${how}`);
  const arrive = async (secret: string): Promise<Colleague> => {
    const password = 'gravel lantern otter turquoise';
    const { login } = (await accept(secret, password)).body;
    const [{ id }] = await source.query<[{ id: string }]>('SELECT id FROM officers WHERE login = $1', [login]);
    return atWork(api, { id, agencyId, login, password });
  };

  it('invites an officer, who sets a password that nobody else ever knew', async () => {
    const { status, body, headers } = await invite(['liaison', 'analyst']);
    expect([status, body.grantId, headers.get('cache-control')]).toEqual([201, null, 'no-store']);
    const [row] = await source.query<[{ password_hash: null }]>('SELECT password_hash FROM officers WHERE id = $1', [
      body.officerId,
    ]);
    expect(row.password_hash).toBeNull();
    const officer = await arrive(body.secret);
    expect((await officer.ask('GET', '/v1/session')).body).toMatchObject({
      officer: { id: body.officerId, roles: ['liaison', 'analyst'], agency: { id: agencyId } },
    });
  });

  it('shows the agency’s officers to its administrators alone, and the list is audited', async () => {
    const { body } = await invite(['verifier']);
    const stranger = await hire(api, await makeAgency(api.app), 'administrator');
    const { officers } = (await administrator.ask<Listed>('GET', '/v1/officers')).body;
    expect(officers.map(({ id }) => id).sort()).toEqual([administrator.id, verifier.id, body.officerId].sort());
    expect(officers.find(({ id }) => id === body.officerId)).toMatchObject({
      roles: [],
      proposedRoles: ['verifier'],
      passwordSet: false,
      invitationOpen: true,
      secondFactor: false,
    });
    expect(JSON.stringify(officers)).not.toContain('argon2');
    expect((await stranger.ask<Listed>('GET', '/v1/officers')).body.officers.map(({ id }) => id)).toEqual([
      stranger.id,
    ]);
    expect(await verifier.ask('GET', '/v1/officers')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await audited(source, agencyId)).toEqual(expect.arrayContaining(['officer.invite', 'officer.list']));
  });

  it.each(['verifier', 'administrator'])('gives %s by two people', async (role) => {
    const { body } = await invite([role]);
    const officer = await arrive(body.secret);
    expect(await rolesOf(body.officerId)).toEqual([]);
    expect((await officer.ask('GET', '/v1/grants')).status).toBe(403);
    expect(await settle(administrator, body.grantId)).toMatchObject({
      status: 403,
      body: { code: 'verifier_is_author' },
    });
    expect(await settle(officer, body.grantId)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const { grants } = (await verifier.ask<Grants>('GET', '/v1/grants')).body;
    expect(grants).toMatchObject([{ id: body.grantId, officer: { id: body.officerId }, roles: [role] }]);
    expect((await settle(verifier, body.grantId)).status).toBe(204);
    expect(await rolesOf(body.officerId)).toEqual([role]);
    // At the next request of the session that was open already.
    expect((await officer.ask('GET', '/v1/grants')).status).toBe(200);
    expect(await settle(verifier, body.grantId)).toMatchObject({ status: 409, body: { code: 'grant_settled' } });
  });

  it('takes confirmation from another administrator or from above, and from nobody else', async () => {
    const others = {
      colleague: await hire(api, agencyId, 'administrator'),
      above: await hire(api, parent, 'administrator'),
      aboveVerifier: await hire(api, parent, 'verifier'),
    };
    for (const other of Object.values(others)) {
      const { body } = await invite(['verifier']);
      await accept(body.secret);
      expect((await settle(other, body.grantId)).status).toBe(204);
    }
    const { body } = await invite(['verifier']);
    for (const role of ['liaison', 'analyst'] as const) {
      expect(await settle(await hire(api, agencyId, role), body.grantId)).toMatchObject({
        body: { code: 'forbidden' },
      });
    }
    const elsewhere = await hire(api, await makeAgency(api.app), 'administrator');
    const below = await hire(api, await makeAgency(api.app, { parentId: agencyId }), 'administrator');
    const absent = await settle(elsewhere, randomUUID());
    for (const outsider of [elsewhere, below, await hire(api, parent, 'liaison')]) {
      const answer = await settle(outsider, body.grantId);
      expect(answer.status).toBe(404);
      expect({ ...answer.body, instance: '' }).toEqual({ ...absent.body, instance: '' });
    }
    expect(await rolesOf(body.officerId)).toEqual([]);
  });

  it('lets a lone administrator make no pair that could release an alert', async () => {
    const lone = await hire(api, await makeAgency(api.app), 'administrator');
    const puppets = [await invite(['verifier'], lone), await invite(['liaison', 'verifier'], lone)];
    const another = await invite(['administrator'], lone);
    const made = [];
    for (const { body } of [...puppets, another]) made.push(await arrive(body.secret));
    for (const { body } of [...puppets, another]) {
      for (const puppet of [lone, ...made]) expect((await settle(puppet, body.grantId)).status).toBe(403);
      expect(await rolesOf(body.officerId)).not.toContain('verifier');
      expect(await rolesOf(body.officerId)).not.toContain('administrator');
    }
  });

  it('takes roles at once and gives back by two', async () => {
    const put = (roles: string[]) =>
      administrator.ask<Administered>('PUT', `/v1/officers/${verifier.id}/roles`, { roles });
    expect(await put(['liaison', 'verifier'])).toMatchObject({ status: 200, body: { grantId: null } });
    expect(await rolesOf(verifier.id)).toEqual(['liaison', 'verifier']);
    expect((await put(['liaison'])).body.grantId).toBeNull();
    expect(await rolesOf(verifier.id)).toEqual(['liaison']);
    const first = (await put(['analyst', 'verifier'])).body.grantId;
    expect(await rolesOf(verifier.id)).toEqual(['analyst']);
    const second = (await put(['verifier'])).body.grantId;
    const colleague = await hire(api, agencyId, 'verifier');
    expect((await settle(colleague, first)).status).toBe(409);
    expect((await settle(colleague, second, 'refuse')).status).toBe(204);
    expect(await rolesOf(verifier.id)).toEqual([]);
    expect(await put(['administrator', 'verifier'])).toMatchObject({ body: { code: 'roles_conflict' } });
  });

  it('confirms a proposal once, whoever comes at the same time', async () => {
    const { body } = await invite(['verifier']);
    await accept(body.secret);
    const colleague = await hire(api, agencyId, 'administrator');
    const answers = await Promise.all([
      settle(verifier, body.grantId),
      settle(colleague, body.grantId, 'refuse'),
      settle(colleague, body.grantId),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409, 409]);
  });

  describe('a reset', () => {
    const inviteAgain = (officer: TestOfficer) =>
      administrator.ask<Administered>('POST', `/v1/officers/${officer.id}/invitation`);
    const resetFactor = (officer: TestOfficer) =>
      administrator.ask<Administered>('DELETE', `/v1/officers/${officer.id}/second-factor`);

    it('of a password suspends the roles that take two people, so that nobody takes an officer’s place alone', async () => {
      const both = await hire(api, agencyId, 'liaison', 'verifier');
      const { status, body } = await inviteAgain(both);
      expect(status).toBe(201);
      expect(await rolesOf(both.id)).toEqual(['liaison']);
      expect((await accept(body.secret)).status).toBe(200);
      expect((await both.ask('GET', '/v1/session')).status).toBe(401);
      expect((await settle(administrator, body.grantId)).status).toBe(403);
      expect((await settle(verifier, body.grantId)).status).toBe(204);
      expect(await rolesOf(both.id)).toEqual(['liaison', 'verifier']);
    });

    it('of a second factor does so too, and ends the sessions', async () => {
      const { body } = await resetFactor(verifier);
      expect(await rolesOf(verifier.id)).toEqual([]);
      expect((await verifier.ask('GET', '/v1/session')).status).toBe(401);
      const again = await resetFactor(verifier);
      const colleague = await hire(api, agencyId, 'verifier');
      expect((await settle(colleague, body.grantId)).status).toBe(409);
      expect((await settle(colleague, again.body.grantId)).status).toBe(204);
      expect(await rolesOf(verifier.id)).toEqual(['verifier']);
    });

    it('leaves one-person roles as they are', async () => {
      const liaison = await hire(api, agencyId, 'liaison');
      expect((await resetFactor(liaison)).body.grantId).toBeNull();
      expect(await rolesOf(liaison.id)).toEqual(['liaison']);
    });

    it('is nothing that an invitation kept from before could get round', async () => {
      const liaison = await hire(api, agencyId, 'liaison');
      const kept = (await inviteAgain(liaison)).body.secret;
      const { body } = await administrator.ask<Administered>('PUT', `/v1/officers/${liaison.id}/roles`, {
        roles: ['verifier'],
      });
      expect((await verifier.ask<Grants>('GET', '/v1/grants')).body.grants).toMatchObject([
        { id: body.grantId, invitationOpen: false },
      ]);
      expect(await accept(kept)).toMatchObject({ status: 401, body: { code: 'invitation_invalid' } });
    });
  });

  it('is closed to everyone but the agency’s own administrators, and for their own access to them too', async () => {
    const target = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    const acts = (id: string) =>
      [
        ['PUT', `/v1/officers/${id}/roles`, { roles: ['analyst'] }],
        ['POST', `/v1/officers/${id}/invitation`, undefined],
        ['DELETE', `/v1/officers/${id}/second-factor`, undefined],
      ] as const;
    for (const [method, path, json] of acts(administrator.id)) {
      const own = await administrator.ask(method, path, json);
      expect([path, own.status, own.body['code']]).toEqual([path, 403, 'own_access']);
    }
    const elsewhere = await hire(api, await makeAgency(api.app), 'administrator');
    const above = await hire(api, parent, 'administrator');
    for (const stranger of [elsewhere, above]) {
      for (const [method, path, json] of acts(target.id)) {
        const answer = await stranger.ask(method, path, json);
        const absent = await stranger.ask(method, path.replace(target.id, randomUUID()), json);
        expect(answer).toMatchObject({ status: 404, body: { code: 'officer_not_found' } });
        expect({ ...answer.body, instance: '' }).toEqual({ ...absent.body, instance: '' });
      }
    }
    for (const [method, path, json] of acts(target.id)) {
      expect((await verifier.ask(method, path, json)).body['code']).toBe('forbidden');
    }
    await tire(source, administrator.id);
    for (const [method, path, json] of acts(target.id)) {
      expect((await administrator.ask(method, path, json)).body['code']).toBe('step_up_required');
    }
    expect((await invite(['liaison'])).body.code).toBe('step_up_required');
    expect(await rolesOf(target.id)).toEqual(['liaison']);
  });

  it('refuses a login that is taken, whoever has it', async () => {
    const elsewhere = await makeOfficer(api.app, { agencyId: parent, roles: ['liaison'] });
    expect((await invite(['liaison'], administrator, elsewhere.login.toUpperCase())).body.code).toBe('login_taken');
  });

  it('leaves an entry for each act, by reference alone', async () => {
    const own = await makeAgency(api.app);
    const [one, two] = [await hire(api, own, 'administrator'), await hire(api, own, 'administrator')];
    const { body } = await invite(['verifier'], one);
    await accept(body.secret);
    await settle(two, body.grantId);
    await one.ask('PUT', `/v1/officers/${body.officerId}/roles`, { roles: ['liaison'] });
    await one.ask('POST', `/v1/officers/${body.officerId}/invitation`);
    await one.ask('DELETE', `/v1/officers/${body.officerId}/second-factor`);
    const done = (await audited(source, own)).filter((action) => action !== 'session.open');
    expect(done).toEqual([
      'officer.invite',
      'officer.invitation.accept',
      'grant.confirmed',
      'officer.roles',
      'officer.invitation',
      'officer.second_factor.reset',
    ]);
    const rows = await source.query<{ row: string }[]>('SELECT e::text AS row FROM audit_entries e');
    const told = rows.map(({ row }) => row).join();
    expect(told).not.toContain('新警官');
    expect(told).not.toContain(body.secret);
  });

  it('lets a proposal lapse when whoever proposed is frozen or disabled', async () => {
    for (const shutOut of ['freeze', 'disable'] as const) {
      const other = await hire(api, agencyId, 'administrator');
      const { body } = await invite(['verifier'], other);
      await source.transaction(
        async (tx) => void (await api.app.get(Officers, { strict: false })[shutOut](tx, other.id)),
      );
      expect((await settle(verifier, body.grantId)).body['code']).toBe('grant_settled');
    }
  });

  it('is not for officers who are disabled', async () => {
    const { body } = await invite(['liaison']);
    await source.transaction((tx) => api.app.get(Officers, { strict: false }).disable(tx, body.officerId));
    expect((await accept(body.secret)).body.code).toBe('invitation_invalid');
  });
});
