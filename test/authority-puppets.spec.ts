import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Grants, OfficerAdministration, Officers } from '#access';
import { call, makeAgency, makeOfficer, startApi, type TestApi } from './harness/api.ts';
import { contended } from './harness/contended.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { type Colleague, hire } from './harness/staff.ts';

const PASSWORD = 'gravel lantern otter turquoise';

interface Invited {
  readonly officerId: string;
  readonly grantId: string | null;
  readonly secret: string;
}

describe('a lone administrator', () => {
  let database: TestDatabase;
  let api: TestApi;
  let source: DataSource;
  let agencyId: string;
  let administrator: Colleague;
  let verifier: Colleague;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    source = api.app.get(DataSource);
  });

  beforeEach(async () => {
    agencyId = await makeAgency(api.app);
    administrator = await hire(api, agencyId, 'administrator');
    verifier = await hire(api, agencyId, 'verifier');
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const invite = async (...roles: string[]) =>
    (await administrator.ask<Invited>('POST', '/v1/officers', { login: `new-${randomUUID()}`, name: '新警官', roles }))
      .body;
  const confirm = (by: Colleague, { grantId }: { grantId: string | null }) =>
    by.ask('POST', `/v1/grants/${grantId}/confirm`);
  const reviews = () =>
    source.query<{ act: string; thing: string }[]>(
      'SELECT act, thing FROM reviews WHERE officer_id = $1 ORDER BY created_at',
      [administrator.id],
    );
  const acting = ({ id }: Colleague, ...roles: ('administrator' | 'verifier')[]) => ({
    ...{ kind: 'officer' as const, id, agencyId, belowIds: [], roles },
    ...{ sessionId: randomUUID(), steppedUpAt: new Date() },
  });

  it('keeps no invitation by which they would come in with roles that were confirmed for another', async () => {
    const puppet = await invite('verifier');
    expect(await confirm(verifier, puppet)).toMatchObject({ status: 409, body: { code: 'invitation_open' } });
    const { secret } = puppet;
    await call(api.url, 'POST', '/v1/invitations/accept', { json: { secret, password: PASSWORD } });
    expect((await confirm(verifier, puppet)).status).toBe(204);
    const again = (await administrator.ask<Invited>('POST', `/v1/officers/${puppet.officerId}/invitation`)).body;
    expect((await confirm(verifier, again)).body['code']).toBe('invitation_open');
    expect((await verifier.ask('POST', `/v1/grants/${again.grantId}/refuse`)).status).toBe(204);
  });

  it('is looked at where they let somebody in whom nobody else confirms', async () => {
    const { officerId: puppet } = await invite('liaison');
    const { id: colleague } = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    await administrator.ask('POST', `/v1/officers/${colleague}/invitation`);
    await administrator.ask('PUT', `/v1/officers/${colleague}/roles`, { roles: ['liaison', 'analyst'] });
    await administrator.ask('DELETE', `/v1/officers/${colleague}/second-factor`);
    await administrator.ask('POST', `/v1/officers/${verifier.id}/invitation`);
    expect(await reviews()).toEqual([
      { act: 'officer.invite', thing: `officer:${puppet}` },
      { act: 'officer.invitation', thing: `officer:${colleague}` },
      { act: 'officer.roles', thing: `officer:${colleague}` },
      { act: 'officer.second_factor.reset', thing: `officer:${colleague}` },
    ]);
  });

  it('is looked at where they turn down what another proposed', async () => {
    const other = await hire(api, agencyId, 'administrator');
    const { id } = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    const proposed = await other.ask<Invited>('PUT', `/v1/officers/${id}/roles`, { roles: ['verifier'] });
    await administrator.ask('POST', `/v1/grants/${proposed.body.grantId}/refuse`);
    expect(await reviews()).toEqual([{ act: 'grant.refused', thing: `officer:${id}` }]);
  });

  it('gives and confirms nothing from the moment they are frozen', async () => {
    const other = await hire(api, agencyId, 'administrator');
    const { id } = await makeOfficer(api.app, { agencyId, roles: ['liaison'] });
    const { grantId } = (await other.ask<Invited>('PUT', `/v1/officers/${id}/roles`, { roles: ['verifier'] })).body;
    await source.transaction((tx) => api.app.get(Officers, { strict: false }).freeze(tx, administrator.id));
    const frozen = acting(administrator, 'administrator');
    const ended = { code: 'session_invalid' };
    await expect(api.app.get(Grants, { strict: false }).confirm(frozen, grantId ?? '')).rejects.toMatchObject(ended);
    const draft = { login: `new-${randomUUID()}`, name: '新警官', roles: ['verifier' as const] };
    const administration = api.app.get(OfficerAdministration, { strict: false });
    await expect(administration.invite(frozen, draft)).rejects.toMatchObject(ended);
  });

  it('and a thief who knows a password alone is not let in while the officer sets up a second factor', async () => {
    const { id, login, password } = await makeOfficer(api.app, { agencyId, roles: ['verifier'] });
    const enrolling = `WITH factor AS (INSERT INTO second_factors (officer_id, secret, confirmed_at) VALUES ($1, '', now()))
      SELECT 1 FROM officers WHERE id = $1 FOR UPDATE`;
    const answer = await contended(source, enrolling, id, 1, () =>
      call(api.url, 'POST', '/v1/session', { json: { login, password } }),
    );
    expect(answer).toMatchObject({ status: 401, body: { code: 'sign_in_failed' } });
  });
});
