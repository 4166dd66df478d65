import type { Role } from '#access';
import { canary, type Owner } from './canary.ts';
import type { Client, Heard } from './client.ts';
import type { Login, Services } from './services.ts';

/** Whoever makes requests, by what they hold and what they may see. */
export interface Caller {
  readonly name: string;
  readonly kind: 'nobody' | 'officer' | 'device' | 'agency_key';
  /** The agency they belong to. */
  readonly owner?: Owner;
  readonly roles: readonly Role[];
  /** Whose private values they may be told. */
  readonly reads: readonly Owner[];
  /** For officers. */
  login?: Login;
  /** The header that shows who they are; it changes when a session is renewed. */
  credential: Readonly<Record<string, string>>;
}

export const NOBODY: Caller = { name: 'nobody', kind: 'nobody', roles: [], reads: [], credential: {} };

export interface OfficerDraft {
  readonly name: string;
  readonly owner: Owner;
  readonly agencyId: string;
  readonly roles: readonly Role[];
  readonly reads?: readonly Owner[];
}

/** An officer who has signed in. */
export async function officer(services: Services, client: Client, draft: OfficerDraft): Promise<Caller> {
  const { name, owner, agencyId, roles, reads = [owner] } = draft;
  const login = await services.officer(agencyId, roles, canary(owner, 'officer'));
  const caller: Caller = { name, kind: 'officer', owner, roles, reads, login, credential: {} };
  await signIn(client, caller);
  return caller;
}

/** Gives an officer a new session. */
export async function signIn(client: Client, caller: Caller): Promise<void> {
  const { login, password } = caller.login ?? {};
  const answer = await client.send(json('POST', '/v1/session', { login, password }));
  const [cookie] = answer.headers['set-cookie']?.split(';', 1) ?? [];
  if (!cookie) throw new Error(`${caller.name} could not sign in: ${answer.status} ${answer.body.toString()}`);
  caller.credential = { cookie };
}

/** Puts another officer in the place of one who was attacked until they could not sign in any more. */
export async function replaceOfficer(
  services: Services,
  client: Client,
  caller: Caller,
  agencyId: string,
): Promise<void> {
  caller.login = await services.officer(agencyId, caller.roles, canary(caller.owner ?? 'spare', 'officer'));
  await signIn(client, caller);
}

/** An installation of the app, somewhere near. */
export async function device(client: Client, name: string, place: readonly [number, number]): Promise<Caller> {
  const token = `sim:${canary('device', 'token')}`;
  const answer = await client.send(json('POST', '/v1/devices', { platform: 'android', token, language: 'en' }));
  const { secret } = told<{ secret: string }>(answer, 201);
  const credential = { authorization: `Bearer ${secret}` };
  const where = { place: { lon: place[0], lat: place[1], datum: 'wgs84' } };
  told(await client.send(json('PUT', '/v1/devices/me/position', where, credential)), 204);
  return { name, kind: 'device', roles: [], reads: [], credential };
}

export async function agencyKey(services: Services, owner: Owner, agencyId: string, name: string): Promise<Caller> {
  const { secret } = await services.key(agencyId);
  return { name, kind: 'agency_key', owner, roles: [], reads: [owner], credential: bearer(secret) };
}

const bearer = (secret: string) => ({ authorization: `Bearer ${secret.startsWith('g72k_') ? '' : 'g72k_'}${secret}` });

let addresses = 0;

/** An address of a network that nobody else has (RFC 6598 holds enough of them). */
export function freshAddress(): string {
  addresses = (addresses + 1) % 4_000_000;
  return `100.${64 + (addresses >> 16)}.${(addresses >> 8) & 255}.${addresses & 255}`;
}

export function json(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
  const typed = body === undefined ? {} : { 'content-type': 'application/json' };
  return {
    method,
    path,
    headers: { 'x-forwarded-for': freshAddress(), ...typed, ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

/** An answer's JSON; a fixture that cannot be made is a fault of the suite or of the api, told at once. */
export function told<Body>(answer: Heard, ...statuses: number[]): Body {
  const text = answer.body.toString();
  if (!statuses.includes(answer.status)) throw new Error(`expected ${statuses.join()}, got ${answer.status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}
