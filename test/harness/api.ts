import { randomUUID } from 'node:crypto';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import { Agencies, type AgencyDraft, type OfficerDraft, Officers } from '#access';
import type { Env } from '#platform';
import { createApi } from '../../apps/api/src/create-api.ts';
import { emptyRedis, testEnv } from './env.ts';

export interface TestApi {
  readonly url: string;
  readonly app: NestFastifyApplication;
  close(): Promise<void>;
}

export type TestApiOptions = { readonly [Name in keyof Env]?: string } & {
  readonly databaseUrl: string;
  /** By default this Jest worker's own logical database, emptied. */
  readonly redisUrl?: string;
  /** Modules beside the api's own. */
  readonly modules?: DynamicModule['imports'];
};

/** Runs the api in this process on a port of its own. */
export async function startApi(options: TestApiOptions): Promise<TestApi> {
  const { databaseUrl, redisUrl: redis = await emptyRedis(), modules, ...overrides } = options;
  const app = await createApi(testEnv(databaseUrl, { ...overrides, REDIS_URL: redis }), modules);
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), app, close: () => app.close() };
}

/** A square of two degrees around Shenzhen. */
export const SHENZHEN_SQUARE = {
  type: 'Polygon' as const,
  coordinates: [
    [
      [113, 21.5],
      [115, 21.5],
      [115, 23.5],
      [113, 23.5],
      [113, 21.5],
    ],
  ],
};

/** @returns the new agency's id. */
export function makeAgency(app: INestApplicationContext, draft: Partial<AgencyDraft> = {}): Promise<string> {
  return app.get(DataSource).transaction((tx) =>
    app.get(Agencies, { strict: false }).create(tx, {
      name: `Agency ${randomUUID()}`,
      jurisdiction: SHENZHEN_SQUARE,
      zone: 'Asia/Shanghai',
      callNumber: '110',
      ...draft,
    }),
  );
}

export interface TestOfficer {
  readonly id: string;
  readonly agencyId: string;
  readonly login: string;
  readonly password: string;
}

export async function makeOfficer(
  app: INestApplicationContext,
  draft: Partial<OfficerDraft> & Pick<OfficerDraft, 'agencyId' | 'roles'>,
): Promise<TestOfficer> {
  const login = `officer-${randomUUID()}`;
  const whole = { login, name: 'Officer Test', password: 'correct horse battery staple', ...draft };
  const id = await app.get(DataSource).transaction((tx) => app.get(Officers, { strict: false }).create(tx, whole));
  return { id, agencyId: whole.agencyId, login: whole.login, password: whole.password };
}

/** @returns the cookie to send, `g72_session=…`. */
export async function signIn(
  url: string,
  { login, password }: Pick<TestOfficer, 'login' | 'password'>,
): Promise<string> {
  const answer = await call(url, 'POST', '/v1/session', { json: { login, password } });
  const cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0];
  if (!cookie) throw new Error(`could not sign in: ${answer.status} ${JSON.stringify(answer.body)}`);
  return cookie;
}

export interface CallOptions {
  readonly cookie?: string;
  /** With its prefix. */
  readonly bearer?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
}

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, else the text. */
  readonly body: Body;
}

/** One request to the api under test. */
export async function call<Body = Record<string, unknown>>(
  url: string,
  method: string,
  path: string,
  { cookie, bearer, json, headers, body }: CallOptions = {},
): Promise<Answer<Body>> {
  const sent = {
    ...(cookie === undefined ? {} : { cookie }),
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const payload = json === undefined ? (body ?? null) : JSON.stringify(json);
  const answer = await fetch(new URL(path, url), { method, headers: sent, body: payload, redirect: 'manual' });
  const said = await answer.text();
  const isJson = /\bjson\b/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, body: (isJson ? JSON.parse(said) : said) as Body };
}

/** Sends a photo as a form does. @returns the id of what was made of it */
export async function uploadPhoto(
  url: string,
  path: string,
  cookie: string,
  photo: Buffer,
  fields: Readonly<Record<string, string>> = {},
): Promise<string> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('photo', new Blob([new Uint8Array(photo)]), 'photo.png');
  const { status, body } = await call<{ id: string }>(url, 'POST', path, { cookie, body: form });
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
  return body.id;
}
