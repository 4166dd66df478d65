import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateSync } from 'otplib';
import { DataSource } from 'typeorm';
import { Agent, fetch as fetchWith } from 'undici';
import { Officers, type Role } from '#access';
import { run } from '../apps/cli/src/program.ts';
import { type Certificate, certificateIn } from '../apps/fcm-simulator/src/certificate.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi, type TestOfficer } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { emptyRedis } from './harness/env.ts';
import { CLIENT_ID, startIdentityProvider, type TestIdentityProvider } from './harness/identity-provider.ts';

/** What the provider believes to send browsers back to; the browsers of this test know where that really is. */
const API_URL = 'https://api.police.example';
const CLIENT_SECRET = randomBytes(24).toString('base64url');

interface Seen {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
  readonly cookies: readonly string[];
}

/** A browser as far as it matters: it follows redirects when told to, and keeps cookies by host. */
class Browser {
  private readonly jars = new Map<string, Map<string, string>>();

  constructor(
    private readonly apiUrl: string,
    private readonly agent: Agent,
  ) {}

  cookie(host: string, name: string): string | undefined {
    return this.jar(host).get(name);
  }

  forget(host: string): void {
    this.jars.delete(host);
  }

  plant(host: string, name: string, value: string): void {
    this.jar(host).set(name, value);
  }

  /** One request; cross-site ones carry no Strict cookie. */
  async get(address: string, crossSite = false): Promise<Seen> {
    const url = new URL(address);
    const target = url.origin === API_URL ? new URL(url.pathname + url.search, this.apiUrl) : url;
    const sent = [...this.jar(url.host)].filter(([name]) => !(crossSite && name === 'g72_session'));
    const cookie = sent.map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetchWith(target, { headers: { cookie }, redirect: 'manual', dispatcher: this.agent });
    const cookies = answer.headers.getSetCookie();
    for (const line of cookies) this.keep(url.host, line);
    const location = answer.headers.get('location');
    const body = await answer.text();
    return { status: answer.status, location: location && new URL(location, url).href, body, cookies };
  }

  /** From the provider's address to the address that the browser comes back to. */
  async through(address: string): Promise<string> {
    let at = address;
    while (!at.startsWith(API_URL)) {
      const { location, status, body } = await this.get(at);
      if (location === null) throw new Error(`the provider stopped with ${status}: ${body.slice(0, 300)}`);
      at = location;
    }
    return at;
  }

  private keep(host: string, line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const gone = attributes.some((attribute) => /^max-age=0$/i.test(attribute)) || value === '';
    if (gone) this.jar(host).delete(name);
    else this.jar(host).set(name, value);
  }

  private jar(host: string): Map<string, string> {
    const jar = this.jars.get(host) ?? new Map<string, string>();
    this.jars.set(host, jar);
    return jar;
  }
}

describe('sign-in through an identity provider', () => {
  const apiHost = new URL(API_URL).host;
  let folder: string;
  let certificate: Certificate;
  let agent: Agent;
  let database: TestDatabase;
  let redis: string;
  let provider: TestIdentityProvider;
  let elsewhere: TestIdentityProvider;
  let api: TestApi;
  let agency: string;
  let other: string;

  const redirectUri = (agencyId: string) => `${API_URL}/v1/oidc/${agencyId}/callback`;

  const golden72 = async (...args: string[]) => {
    const errors: string[] = [];
    const env = { NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: database.url, REDIS_URL: redis };
    const io = { env, out: () => undefined, error: (words: string) => errors.push(words), input: async () => '' };
    return { code: await run(io, ['--json', ...args]), error: errors.join() };
  };

  const link = async (officer: TestOfficer, subject: string) => {
    expect(await golden72('identity-provider', 'link', officer.login, '--subject', subject)).toEqual({
      code: 0,
      error: '',
    });
    return subject;
  };

  const newOfficer = (agencyId = agency, roles: Role[] = ['liaison']) => makeOfficer(api.app, { agencyId, roles });
  const newBrowser = () => new Browser(api.url, agent);
  const query = <Row>(sql: string, parameters: unknown[] = []) => api.app.get(DataSource).query<Row[]>(sql, parameters);

  /** Signs in anew as `proof` says, up to what the browser comes back with. */
  const reach = async (proof: TestIdentityProvider['proof'], browser = newBrowser(), agencyId = agency) => {
    provider.proof = proof;
    const begun = await browser.get(`${API_URL}/v1/oidc/${agencyId}`);
    expect(begun.status).toBe(302);
    return { browser, begun, back: await browser.through(begun.location ?? '') };
  };

  const enter = async (proof: TestIdentityProvider['proof'], browser = newBrowser()) => {
    const { back } = await reach(proof, browser);
    return { browser, back, end: await browser.get(back, true) };
  };

  const REFUSED = expect.objectContaining({ status: 401, body: expect.stringContaining('"sign_in_failed"') });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'golden72-oidc-'));
    certificate = await certificateIn(folder);
    agent = new Agent({ connect: { ca: certificate.cert } });
    database = await createTestDatabase();
    redis = await emptyRedis();
    const setup = await startApi({ databaseUrl: database.url, redisUrl: redis });
    [agency, other] = [await makeAgency(setup.app), await makeAgency(setup.app)];
    await setup.close();
    provider = await startIdentityProvider(certificate, [agency, other].map(redirectUri), CLIENT_SECRET);
    elsewhere = await startIdentityProvider(certificate, [redirectUri(other)]);
    api = await startApi({
      databaseUrl: database.url,
      redisUrl: redis,
      API_URL,
      OUTBOUND_ALLOW: `${provider.place},${elsewhere.place}`,
      OUTBOUND_CA: certificate.caPath,
      OIDC_CLIENT_SECRETS: JSON.stringify({ [provider.issuer]: CLIENT_SECRET }),
    });
    const set = ['identity-provider', 'set', '--agency', agency, '--issuer', provider.issuer, '--client-id', CLIENT_ID];
    expect((await golden72(...set)).code).toBe(0);
  });

  afterAll(async () => {
    await api?.close();
    await provider?.close();
    await elsewhere?.close();
    await agent?.close();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('lets in whom the provider knows, by a page of ours, and says so in the audit', async () => {
    const officer = await newOfficer();
    const { begun, back, browser } = await reach({ subject: await link(officer, 'subject-in') });
    const asked = new URL(begun.location ?? '').searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      ...{ response_type: 'code', code_challenge_method: 'S256', scope: 'openid', prompt: 'login', max_age: '0' },
      redirect_uri: redirectUri(agency),
    });
    expect(begun.cookies.join()).toMatch(/^g72_oidc=[\w-]+;.*HttpOnly.*SameSite=Lax/i);
    expect(begun.cookies.join()).not.toContain(asked.get('state'));
    const end = await browser.get(back, true);
    expect(end).toMatchObject({ status: 200, body: expect.stringContaining('content="0;url=/"') });
    expect(end.cookies.find((line) => line.startsWith('g72_session='))).toMatch(/HttpOnly.*SameSite=Strict/i);
    expect(browser.cookie(apiHost, 'g72_oidc')).toBeUndefined();
    const me = await browser.get(`${API_URL}/v1/session`);
    expect(JSON.parse(me.body)).toMatchObject({ officer: { id: officer.id } });
    const entries = await query<{ detail: object }>(
      `SELECT detail FROM audit_entries WHERE action = 'session.open' AND thing = $1`,
      [`officer:${officer.id}`],
    );
    expect(entries).toEqual([{ detail: expect.objectContaining({ factor: 'identity_provider' }) }]);
  });

  it('works for a client without a secret, too', async () => {
    const set = ['identity-provider', 'set', '--agency', other, '--issuer', elsewhere.issuer, '--client-id', CLIENT_ID];
    expect((await golden72(...set)).code).toBe(0);
    const officer = await newOfficer(other);
    elsewhere.proof = { subject: await link(officer, 'subject-public-client') };
    const browser = newBrowser();
    const begun = await browser.get(`${API_URL}/v1/oidc/${other}`);
    const end = await browser.get(await browser.through(begun.location ?? ''), true);
    expect(end.status).toBe(200);
    expect(browser.cookie(apiHost, 'g72_session')).toBeDefined();
    await golden72('identity-provider', 'remove', '--agency', other);
  });

  describe('gives one and the same answer', () => {
    const bodies = new Set<string>();
    const expectRefused = (seen: Seen, browser: Browser) => {
      expect(seen).toEqual(REFUSED);
      bodies.add(seen.body.replace(/request:[\w-]+/, 'request:…'));
      expect(bodies.size).toBe(1);
      expect(browser.cookie(apiHost, 'g72_session')).toBeUndefined();
    };

    it('to a subject nobody is linked to: nobody is made by signing in', async () => {
      const [before] = await query('SELECT count(*) FROM officers');
      const { end, browser } = await enter({ subject: 'a stranger' });
      expectRefused(end, browser);
      expect((await query('SELECT count(*) FROM officers'))[0]).toEqual(before);
    });

    it.each([
      ['disabled', (id: string) => query('UPDATE officers SET disabled_at = now() WHERE id = $1', [id])],
      ['frozen', (id: string) => query('UPDATE officers SET frozen_at = now() WHERE id = $1', [id])],
      ['unlinked', (id: string) => query('DELETE FROM officer_identities WHERE officer_id = $1', [id])],
      [
        'linked at another issuer',
        (id: string) =>
          query(`UPDATE officer_identities SET issuer = 'https://old.example' WHERE officer_id = $1`, [id]),
      ],
      ['of another agency', (id: string) => query('UPDATE officers SET agency_id = $2 WHERE id = $1', [id, other])],
    ])('to an officer who is %s', async (_, change) => {
      const officer = await newOfficer();
      const subject = await link(officer, `subject-${randomUUID()}`);
      await change(officer.id);
      const { end, browser } = await enter({ subject });
      expectRefused(end, browser);
    });

    it('when the provider says no, with an error of its own or of a code that was used', async () => {
      const denied = await enter({ subject: 'x', denies: true });
      expectRefused(denied.end, denied.browser);
      const officer = await newOfficer();
      const { browser, back } = await reach({ subject: await link(officer, 'subject-replay') });
      const held = browser.cookie(apiHost, 'g72_oidc') ?? '';
      expect((await browser.get(back, true)).status).toBe(200);
      const thief = newBrowser();
      thief.plant(apiHost, 'g72_oidc', held);
      expectRefused(await thief.get(back, true), thief);
    });

    const subject = 'subject-attacked';
    const attacked = async () => {
      if ((await query('SELECT FROM officer_identities WHERE subject = $1', [subject])).length === 0) {
        await link(await newOfficer(), subject);
      }
      return reach({ subject });
    };
    const altered = (address: string, name: string, value: string | null) => {
      const url = new URL(address);
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
      return url.href;
    };

    it.each([
      ['without a state', (back: string) => altered(back, 'state', null)],
      ['with another state', (back: string) => altered(back, 'state', 'a'.repeat(43))],
      ['from another issuer', (back: string) => altered(back, 'iss', 'https://evil.example')],
      ['without an issuer', (back: string) => altered(back, 'iss', null)],
      ['with another code', (back: string) => altered(back, 'code', 'a'.repeat(43))],
      ['at another agency’s door', (back: string) => back.replace(agency, other)],
      ['without anything', (back: string) => back.split('?', 1)[0] ?? ''],
    ])('to a return %s', async (_, attack) => {
      const { browser, back } = await attacked();
      expectRefused(await browser.get(attack(back), true), browser);
    });

    it('to a browser that did not begin, or began something else', async () => {
      const { back } = await attacked();
      const stranger = newBrowser();
      expectRefused(await stranger.get(back, true), stranger);
      const { browser } = await attacked();
      expectRefused(await browser.get(back, true), browser);
    });

    it('to what it gave the browser, changed', async () => {
      const { browser, back } = await attacked();
      const held = Buffer.from(browser.cookie(apiHost, 'g72_oidc') ?? '', 'base64url');
      held[40] = (held[40] ?? 0) ^ 1;
      browser.plant(apiHost, 'g72_oidc', held.toString('base64url'));
      expectRefused(await browser.get(back, true), browser);
    });

    it.each([
      ['another nonce', 'nonce', 'b'.repeat(43)],
      ['another challenge', 'code_challenge', 'b'.repeat(43)],
    ])('to a request that was sent on with %s', async (_, name, value) => {
      await attacked();
      const browser = newBrowser();
      const begun = await browser.get(`${API_URL}/v1/oidc/${agency}`);
      const back = await browser.through(altered(begun.location ?? '', name, value));
      expectRefused(await browser.get(back, true), browser);
    });

    it('to somebody who proved who they are long ago', async () => {
      await attacked();
      const { end, browser } = await enter({ subject, at: Math.floor(Date.now() / 1000) - 300 });
      expectRefused(end, browser);
    });
  });

  it('knows no provider of an agency that has none', async () => {
    const seen = await newBrowser().get(`${API_URL}/v1/oidc/${randomUUID()}`);
    expect(seen).toMatchObject({ status: 404, body: expect.stringContaining('identity_provider_not_found') });
  });

  it('says when the provider does not answer, and never looks for one inside', async () => {
    const place = await makeAgency(api.app);
    for (const issuer of ['https://127.0.0.1:1', 'https://169.254.169.254', `https://${provider.place}/other`]) {
      const set = ['identity-provider', 'set', '--agency', place, '--issuer', issuer, '--client-id', CLIENT_ID];
      expect((await golden72(...set)).code).toBe(0);
      const seen = await newBrowser().get(`${API_URL}/v1/oidc/${place}`);
      expect(seen).toMatchObject({ status: 503, body: expect.stringContaining('identity_provider_unavailable') });
    }
  });

  describe('where it is demanded', () => {
    const demand = (flag: string[]) =>
      golden72(
        'identity-provider',
        'set',
        '--agency',
        agency,
        '--issuer',
        provider.issuer,
        '--client-id',
        CLIENT_ID,
        ...flag,
      );

    it('turns passwords off for its agency alone', async () => {
      const [officer, neighbour] = [await newOfficer(), await newOfficer(other)];
      const cookie = await signIn(api.url, officer);
      await demand(['--required']);
      try {
        const answer = await call(api.url, 'POST', '/v1/session', {
          json: { login: officer.login, password: officer.password },
        });
        expect(answer).toMatchObject({ status: 401, body: { code: 'sign_in_failed' } });
        const stepUp = { cookie, json: { password: officer.password } };
        expect((await call(api.url, 'POST', '/v1/session/step-up', stepUp)).body).toMatchObject({
          code: 'password_wrong',
        });
        expect(await signIn(api.url, neighbour)).toContain('g72_session=');
        expect((await enter({ subject: await link(officer, 'subject-demanded') })).end.status).toBe(200);
      } finally {
        await demand([]);
      }
      expect(await signIn(api.url, officer)).toContain('g72_session=');
    });
  });

  describe('and second factors', () => {
    let strict: TestApi;

    beforeAll(async () => {
      strict = await startApi({
        databaseUrl: database.url,
        redisUrl: redis,
        API_URL,
        SECOND_FACTOR: 'required',
        OUTBOUND_ALLOW: provider.place,
        OUTBOUND_CA: certificate.caPath,
        OIDC_CLIENT_SECRETS: JSON.stringify({ [provider.issuer]: CLIENT_SECRET }),
      });
    });

    afterAll(async () => {
      await strict?.close();
    });

    const reads = (browser: Browser) => browser.get(`${API_URL}/v1/cases`);

    it('takes the provider’s word when it gives it', async () => {
      const subject = await link(await newOfficer(), 'subject-mfa');
      const { browser } = await enter({ subject, amr: ['pwd', 'otp'] }, new Browser(strict.url, agent));
      expect((await reads(browser)).status).toBe(200);
      const without = await enter({ subject, amr: ['pwd'] }, new Browser(strict.url, agent));
      expect((await reads(without.browser)).body).toContain('second_factor_missing');
    });

    it('asks for ours, when the officer has one and the provider did not ask', async () => {
      const officer = await newOfficer();
      const subject = await link(officer, 'subject-totp');
      const cookie = await signIn(api.url, officer);
      const begun = await call<{ secret: string }>(api.url, 'POST', '/v1/second-factor', { cookie });
      const { secret } = begun.body;
      const code = (late: number) => generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + late });
      const confirmed = await call(api.url, 'POST', '/v1/second-factor/confirm', { cookie, json: { code: code(-30) } });
      expect(confirmed.status).toBeLessThan(300);

      const { browser, end } = await enter({ subject, amr: ['pwd'] });
      expect(end).toMatchObject({ status: 200, body: expect.stringContaining('code-owed') });
      expect(browser.cookie(apiHost, 'g72_session')).toBeUndefined();
      const held = `g72_oidc=${browser.cookie(apiHost, 'g72_oidc')}`;
      const pay = (json: object, with_ = held) => call(api.url, 'POST', '/v1/oidc/code', { cookie: with_, json });
      expect(await pay({ code: '000000' })).toMatchObject({ status: 401, body: { code: 'sign_in_failed' } });
      expect(await pay({ code: code(0) }, 'g72_oidc=nothing')).toMatchObject({ status: 401 });
      const paid = await pay({ code: code(0) });
      expect(paid).toMatchObject({ status: 200, body: { end: 'opened' } });
      expect(paid.headers.getSetCookie().join()).toContain('g72_session=');
      expect(await pay({ code: code(0) })).toMatchObject({ status: 401 });
    });
  });

  describe('and stepping up', () => {
    const steppedUpAgo = async (officer: TestOfficer) => {
      const [row] = await query<{ ago: number }>(
        `SELECT extract(epoch FROM now() - stepped_up_at)::int AS ago FROM sessions WHERE officer_id = $1`,
        [officer.id],
      );
      return row?.ago;
    };
    const signedIn = async (subject: string) => {
      const officer = await newOfficer();
      const { browser } = await enter({ subject: await link(officer, subject) });
      await query(`UPDATE sessions SET stepped_up_at = now() - interval '1 hour' WHERE officer_id = $1`, [officer.id]);
      return { officer, browser };
    };
    const again = async (browser: Browser, subject: string) => {
      provider.proof = { subject };
      const begun = await browser.get(`${API_URL}/v1/oidc/step-up`);
      return browser.get(await browser.through(begun.location ?? ''), true);
    };

    it('is a fresh proof of the same officer at the provider', async () => {
      const { officer, browser } = await signedIn('subject-step-up');
      expect(await steppedUpAgo(officer)).toBeGreaterThan(3_000);
      expect(await again(browser, 'subject-step-up')).toMatchObject({
        status: 200,
        body: expect.stringContaining('stepped-up'),
      });
      expect(await steppedUpAgo(officer)).toBeLessThan(60);
    });

    it('is not a colleague’s', async () => {
      await link(await newOfficer(), 'subject-colleague');
      const { officer, browser } = await signedIn('subject-stays');
      browser.forget(provider.place);
      expect(await again(browser, 'subject-colleague')).toEqual(REFUSED);
      expect(await steppedUpAgo(officer)).toBeGreaterThan(3_000);
    });
  });

  it('links each subject to one officer, and refuses what is no issuer', async () => {
    const [first, second] = [await newOfficer(), await newOfficer()];
    await link(first, 'subject-once');
    const taken = await golden72('identity-provider', 'link', second.login, '--subject', 'subject-once');
    expect(taken.error).toContain('subject_taken');
    for (const issuer of ['http://id.example', 'https://id.example/?a=1', 'https://u:p@id.example', 'id.example']) {
      const set = ['identity-provider', 'set', '--agency', agency, '--issuer', issuer, '--client-id', CLIENT_ID];
      expect((await golden72(...set)).error).toContain('issuer_invalid');
    }
    expect((await golden72('identity-provider', 'unlink', first.login)).code).toBe(0);
    expect((await golden72('identity-provider', 'link', second.login, '--subject', 'subject-once')).code).toBe(0);
    const actions = await query<{ action: string }>(
      `SELECT action FROM audit_entries WHERE actor = 'command_line' AND thing IN ($1, $2) ORDER BY seq`,
      [`officer:${first.id}`, `officer:${second.id}`],
    );
    expect(actions.map(({ action }) => action)).toEqual(['officer.link', 'officer.unlink', 'officer.link']);
    expect(await api.app.get(Officers, { strict: false }).idByLogin(first.login)).toBe(first.id);
  });
});
