import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';

describe('an answer at 3 a.m. says what to do next', () => {
  let database: TestDatabase;
  let api: TestApi;
  let liaison: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    api = await startApi({ databaseUrl: database.url });
    const agencyId = await makeAgency(api.app);
    liaison = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['liaison'] }));
  }, 60_000);

  afterAll(async () => {
    await api?.close();
    await database?.drop();
  });

  const post = async (path: string, init: RequestInit) => {
    const response = await fetch(api.url + path, { method: 'POST', ...init });
    const words = await response.text();
    return { status: response.status, words, ...(JSON.parse(words) as { code: string; detail: string }) };
  };

  it('to JSON sent as a form: which type to send, and nothing of the password', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = '{"login":"somebody","password":"horse battery"}';
    const { status, code, detail, words } = await post('/v1/session', { headers, body });
    expect([status, code]).toEqual([415, 'unsupported_media_type']);
    expect(detail).toContain('application/json');
    expect(words).not.toContain('battery');
  });

  it('to a file in another field: the name of the right one', async () => {
    const body = new FormData();
    body.set('file', new Blob(['x'], { type: 'image/jpeg' }), 'x.jpg');
    const { status, detail } = await post(`/v1/cases/${NOBODY}/photos`, { headers: { cookie: liaison }, body });
    expect([status, detail]).toEqual([400, expect.stringContaining('`photo`')]);
  });

  it('to a role that may not: which role may', async () => {
    const headers = { 'content-type': 'application/json', cookie: liaison };
    const { status, detail } = await post('/v1/officers', {
      headers,
      body: JSON.stringify({ login: 'somebody', name: 'Somebody', roles: ['liaison'] }),
    });
    expect([status, detail]).toEqual([403, expect.stringContaining('it takes an administrator')]);
  });
});
