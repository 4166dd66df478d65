import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { MIGRATIONS } from '../migrations/index.ts';
import { call, SHENZHEN_SQUARE, signIn, startApi, type TestApi } from './harness/api.ts';
import { commandLine, type Said } from './harness/command-line.ts';
import { emptyRedis } from './harness/env.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

interface ParsedSaid extends Said {
  /** What `--json` printed. */
  readonly json: Record<string, string>;
}

describe('the command line', () => {
  let database: TestDatabase;
  let api: TestApi;
  let redis: string;
  let folder: string;
  let jurisdiction: string;

  const golden72 = async (args: string[], input = '', DATABASE_URL = database.url): Promise<ParsedSaid> => {
    const said = await commandLine(DATABASE_URL, args, input);
    const words = [said.out, said.error][said.code];
    const json = args.includes('--json') && words ? (JSON.parse(words) as Record<string, string>) : {};
    return { ...said, json };
  };
  const agencyArgs = (name: string, file = jurisdiction) => [
    ...['agency', 'create', '--name', name, '--zone', 'Asia/Shanghai'],
    ...['--call-number', '110', '--jurisdiction', file, '--json'],
  ];
  const officerArgs = (agency: string, login: string, roles = 'liaison') => [
    ...['officer', 'create', '--agency', agency, '--login', login, '--name', '李警官', '--roles', roles, '--json'],
  ];
  const newAgency = async () => (await golden72(agencyArgs(`Agency ${randomUUID()}`))).json['agency'] ?? '';

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await emptyRedis();
    api = await startApi({ databaseUrl: database.url, redisUrl: redis });
    folder = await mkdtemp(join(tmpdir(), 'golden72-cli-'));
    jurisdiction = await file('square.geojson', JSON.stringify(SHENZHEN_SQUARE));
  });

  afterAll(async () => {
    await api?.close();
    await database?.drop();
    await rm(folder, { recursive: true });
  });

  const file = async (name: string, words: string) => {
    const path = join(folder, name);
    await writeFile(path, words);
    return path;
  };

  it('tells how ordered positions are, and orders them', async () => {
    const order = await golden72(['positions', 'order', '--json']);
    expect(order.json).toMatchObject({ positions: '0', spread: '1.00', reordering: 'no', advice: 'leave it' });
    expect((await golden72(['positions', 'reorder'])).code).toBe(0);
    expect((await golden72(['positions', 'abandon'])).out).toContain('reordering: no');
  });

  it('sets up an agency, an officer who can sign in and a key that works, each audited', async () => {
    const agency = await newAgency();
    const passwordFile = await file('password', 'a password from a file\n');
    const made = await golden72(officerArgs(agency, 'first'));
    const fromFile = await golden72([...officerArgs(agency, 'second'), '--password-file', passwordFile]);
    const fromInput = await golden72(
      [...officerArgs(agency, 'third'), '--password-file', '-'],
      'a password from input',
    );
    expect(made.json['password']).toMatch(/^(?:[\da-f]{6}-){4}[\da-f]{6}$/);
    expect(fromFile.json).not.toHaveProperty('password');
    await signIn(api.url, { login: 'first', password: made.json['password'] ?? '' });
    await signIn(api.url, { login: 'second', password: 'a password from a file' });
    const cookie = await signIn(api.url, { login: 'third', password: 'a password from input' });

    const key = await golden72(['agency-key', 'create', '--agency', agency, '--label', 'records', '--json']);
    expect(key.json['bearer']).toMatch(/^g72k_[\w-]{43}$/);
    expect((await golden72(['agency-key', 'revoke', key.json['agencyKey'] ?? ''])).code).toBe(0);
    expect((await golden72(['officer', 'disable', 'THIRD', '--json'])).json).toEqual(fromInput.json);
    expect((await call(api.url, 'GET', '/v1/session', { cookie })).status).toBe(401);

    const entries = await query(
      `SELECT action FROM audit_entries WHERE agency_id = $1 AND actor = 'command_line' ORDER BY seq`,
      [agency],
    );
    expect(entries.map(({ action }) => action)).toEqual([
      'agency.create',
      ...Array<string>(3).fill('officer.create'),
      'agency_key.create',
      'agency_key.revoke',
      'officer.disable',
    ]);
  });

  it('lists agencies and officers, sets an agency, and lets the frozen in again', async () => {
    const name = `Agency ${randomUUID()}`;
    const settings = ['--neighbours', 'never', '--retention-days', '30'];
    const agency = (await golden72([...agencyArgs(name), ...settings])).json['agency'] ?? '';
    const login = `officer-${randomUUID()}`;
    const made = await golden72(officerArgs(agency, login, 'administrator'));
    const listed = async () => (await golden72(['agency', 'list', '--json'])).json['agencies'] as unknown as object[];
    expect(await listed()).toContainEqual({
      ...{ id: agency, name, parent: '', neighbours: 'never', retentionDays: '30', frozenAt: '' },
    });
    expect((await golden72(['agency', 'set', agency, '--neighbours', 'accept', '--json'])).json).toEqual({ agency });
    expect(await listed()).toContainEqual(expect.objectContaining({ neighbours: 'accept', retentionDays: '30' }));

    await query('UPDATE agencies SET frozen_at = now() WHERE id = $1', [agency]);
    await query('UPDATE officers SET frozen_at = now() WHERE agency_id = $1', [agency]);
    const staff = ['officer', 'list', '--agency', agency];
    const row = { id: made.json['officer'], login, name: '李警官', roles: 'administrator', secondFactor: 'no' };
    expect((await golden72([...staff, '--json'])).json['officers']).toEqual([{ ...row, state: 'frozen' }]);
    await golden72(['agency', 'thaw', agency]);
    await golden72(['officer', 'thaw', login]);
    expect((await golden72(staff)).out).toBe(`${row.id}  ${login}  李警官  administrator  active  no`);
    await signIn(api.url, { login, password: made.json['password'] ?? '' });

    const actions = await query('SELECT action FROM audit_entries WHERE agency_id = $1 ORDER BY seq', [agency]);
    expect(actions.map(({ action }) => action)).toEqual([
      ...['agency.create', 'officer.create', 'agency.set', 'officer.list', 'agency.thaw', 'officer.thaw'],
      ...['officer.list', 'session.open'],
    ]);
  });

  it('invites an officer to set their password anew', async () => {
    const login = `officer-${randomUUID()}`;
    await golden72(officerArgs(await newAgency(), login));
    const { json } = await golden72(['officer', 'invite', login, '--json']);
    const password = 'gravel lantern otter turquoise';
    const accepted = await call(api.url, 'POST', '/v1/invitations/accept', {
      json: { secret: json['invitation'], password },
    });
    expect(accepted).toMatchObject({ status: 200, body: { login } });
    await signIn(api.url, { login, password });
  });

  it('prints lines for people', async () => {
    const { code, out } = await golden72(agencyArgs('For people').filter((arg) => arg !== '--json'));
    expect([code, out]).toEqual([0, expect.stringMatching(/^agency: [\da-f-]{36}$/)]);
  });

  it('makes a secret key without any settings', async () => {
    const { json } = await golden72(['secret-key', '--json'], '', '');
    expect(Buffer.from(json['SECRET_KEY'] ?? '', 'base64')).toHaveLength(32);
  });

  it('takes a jurisdiction as a Feature, and explains what it cannot take', async () => {
    const feature = { type: 'Feature', properties: {}, geometry: SHENZHEN_SQUARE };
    const good = await file('feature.geojson', JSON.stringify(feature));
    expect((await golden72(agencyArgs('Feature', good))).code).toBe(0);
    const point = await file('point.geojson', '{"type":"Point","coordinates":[1,2]}');
    const rubbish = await file('rubbish.geojson', '{');
    for (const bad of [point, rubbish, join(folder, 'none.geojson')]) {
      const { code, json } = await golden72(agencyArgs('Bad', bad));
      expect(code).toBe(1);
      expect(json['error']).toMatchObject({ code: 'command_failed', detail: expect.stringContaining(bad) });
    }
  });

  it('passes refusals on by code and leaves nothing behind', async () => {
    const agency = await newAgency();
    await golden72(officerArgs(agency, 'taken'));
    const code = async (args: string[], input?: string) => (await golden72(args, input)).json['error'];
    expect(await code(officerArgs(agency, 'TAKEN'))).toMatchObject({ code: 'login_taken' });
    expect(await code(officerArgs(randomUUID(), 'nowhere'))).toMatchObject({ code: 'agency_not_found' });
    expect(await code(officerArgs(agency, 'both', 'administrator,verifier'))).toMatchObject({ code: 'roles_conflict' });
    const short = [...officerArgs(agency, 'short'), '--password-file', '-'];
    expect(await code(short, 'short')).toMatchObject({ code: 'password_unsuitable' });
    expect(await code(['officer', 'disable', 'nobody', '--json'])).toMatchObject({ code: 'officer_not_found' });
    for (const args of [['invite'], ['thaw']]) {
      expect(await code(['officer', ...args, 'nobody', '--json'])).toMatchObject({ code: 'officer_not_found' });
    }
    for (const args of [['thaw'], ['set']]) {
      expect(await code(['agency', ...args, randomUUID(), '--json'])).toMatchObject({ code: 'agency_not_found' });
    }
    expect(await code(['agency-key', 'revoke', randomUUID(), '--json'])).toMatchObject({
      code: 'agency_key_not_found',
    });
    expect(await query('SELECT login FROM officers WHERE agency_id = $1', [agency])).toEqual([{ login: 'taken' }]);
  });

  it.each([
    [['nonsense'], 'unknown command'],
    [['officer', 'create'], 'required option'],
    [['agency-key', 'revoke', '1'], 'not an id'],
    [['agency', 'set', randomUUID(), '--neighbours', 'perhaps'], 'Allowed choices'],
    [['agency', 'set', randomUUID(), '--retention-days', '0'], 'number of days'],
    [officerArgs(randomUUID(), 'a b'), 'login has 3 to 64'],
    [officerArgs(randomUUID(), 'login', 'liaison,king'), 'Roles are'],
  ])('exits 2 when it is called wrongly: %j', async (args, words) => {
    const { code, error } = await golden72(args);
    expect([code, error]).toEqual([2, expect.stringContaining(words)]);
  });

  it('exits 1 and names settings that are missing and servers that are away', async () => {
    expect(await golden72(['migrate', 'status'], '', 'nowhere')).toMatchObject({
      code: 1,
      error: expect.stringContaining('DATABASE_URL'),
    });
    expect(await golden72(['migrate', 'status'], '', 'postgres://127.0.0.1:1/none')).toMatchObject({
      code: 1,
      error: expect.stringContaining('does not answer'),
    });
  });

  it('migrates up, also twice at the same time, down and up again', async () => {
    const name = `golden72_test_${randomBytes(6).toString('hex')}`;
    const url = Object.assign(new URL(database.url), { pathname: `/${name}` }).href;
    const migrate = async (what: string) => (await golden72(['migrate', what, '--json'], '', url)).json;
    await query(`CREATE DATABASE ${name}`);
    try {
      expect(await migrate('status')).toMatchObject({ applied: [], pending: { length: MIGRATIONS.length } });
      const both = await Promise.all([migrate('up'), migrate('up')]);
      for (const report of both) expect(report).toMatchObject({ applied: { length: MIGRATIONS.length }, pending: [] });
      expect(await migrate('down')).toMatchObject({
        applied: { length: MIGRATIONS.length - 1 },
        pending: { length: 1 },
      });
      expect(await migrate('up')).toMatchObject({ pending: [] });
    } finally {
      await query(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });

  const query = async (sql: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> => {
    const client = new Client(database.url);
    await client.connect();
    try {
      return (await client.query(sql, parameters)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
});
