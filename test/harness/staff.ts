import type { DataSource } from 'typeorm';
import type { Role } from '#access';
import { type Answer, call, makeOfficer, signIn, type TestApi, type TestOfficer } from './api.ts';

/** An officer at work: signed in, and asking the api. */
export interface Colleague extends TestOfficer {
  readonly cookie: string;
  ask<Body = Record<string, unknown>>(method: string, path: string, json?: unknown): Promise<Answer<Body>>;
}

/** Makes an officer and signs them in. */
export async function hire(api: TestApi, agencyId: string, ...roles: Role[]): Promise<Colleague> {
  return atWork(api, await makeOfficer(api.app, { agencyId, roles }));
}

/** Signs an officer in once more. */
export async function atWork(api: TestApi, officer: TestOfficer): Promise<Colleague> {
  const cookie = await signIn(api.url, officer);
  return {
    ...officer,
    cookie,
    ask: (method, path, json) => call(api.url, method, path, { cookie, ...(json === undefined ? {} : { json }) }),
  };
}

/** Makes the last proof of who they are, of all the officer's sessions, older. */
export async function tire(source: DataSource, officerId: string, minutes = 6): Promise<void> {
  await source.query(
    `UPDATE sessions SET stepped_up_at = stepped_up_at - make_interval(mins => $2) WHERE officer_id = $1`,
    [officerId, minutes],
  );
}

/** What was done, oldest first. */
export async function audited(source: DataSource, agencyId: string): Promise<string[]> {
  const rows = await source.query<{ action: string }[]>(
    'SELECT action FROM audit_entries WHERE agency_id = $1 ORDER BY seq',
    [agencyId],
  );
  return rows.map(({ action }) => action);
}
