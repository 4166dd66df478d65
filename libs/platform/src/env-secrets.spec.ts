import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readEnv } from './env.ts';

const password = randomBytes(24).toString('base64url');

const PRODUCTION = {
  NODE_ENV: 'production',
  DATABASE_URL: `postgres://api:${password}@db:5432/golden72`,
  REDIS_URL: `redis://:${password}@redis:6379`,
  SECRET_KEY: randomBytes(32).toString('base64'),
};

const REAL = {
  ...PRODUCTION,
  DEPLOYMENT: 'real',
  PUBLIC_URL: 'https://alerts.police.example',
  API_URL: 'https://api.police.example',
};

/** What the start says is wrong, or null for nothing. */
function faultsOf(settings: NodeJS.ProcessEnv): string | null {
  try {
    readEnv(settings);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('secrets at start', () => {
  const dir = mkdtempSync(join(tmpdir(), 'golden72-env-'));
  const credentials = join(dir, 'credentials.json');
  writeFileSync(credentials, '{}');

  afterAll(() => rmSync(dir, { recursive: true }));

  it('lets good settings start', () => {
    expect(faultsOf(PRODUCTION)).toBeNull();
    expect(faultsOf(REAL)).toBeNull();
    expect(faultsOf({ ...REAL, SECRET_KEY_PREVIOUS: randomBytes(48).toString('base64') })).toBeNull();
    expect(faultsOf({ ...REAL, DATABASE_URL: 'postgres://api@localhost/golden72?host=/run/postgresql' })).toBeNull();
  });

  it('asks nothing of a developer', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://localhost/golden72', REDIS_URL: 'redis://localhost' })).toBeNull();
  });

  const url = (secret: string) => `postgres://api:${secret}@db:5432/golden72`;
  it.each([
    ['SECRET_KEY', undefined],
    ['SECRET_KEY', Buffer.alloc(32).toString('base64')],
    ['SECRET_KEY', Buffer.alloc(32, 'abcd').toString('base64')],
    ['SECRET_KEY', Buffer.from('correct horse battery staple, for ever').toString('base64')],
    ['SECRET_KEY', randomBytes(16).toString('base64')],
    ['SECRET_KEY_PREVIOUS', PRODUCTION.SECRET_KEY],
    ['SECRET_KEY_PREVIOUS', Buffer.alloc(32, 1).toString('base64')],
    ['DATABASE_URL', 'postgres://api@db:5432/golden72'],
    ['DATABASE_URL', url('postgres')],
    ['DATABASE_URL', url('short-but-odd7')],
    ['DATABASE_URL', url('golden72-password')],
    ['DATABASE_URL', url('aaaaaaaaaaaaaaaaaaaaaaaa')],
    ['REDIS_URL', 'redis://redis:6379'],
    ['REDIS_URL', 'redis://:changeme-changeme@redis:6379'],
    ['PUBLIC_URL', 'http://alerts.police.example'],
    ['API_URL', 'http://api.police.example'],
    ['OIDC_CLIENT_SECRETS', '{"https://id.police.example":'],
    ['OIDC_CLIENT_SECRETS', '{"https://id.police.example":7}'],
    ['GOOGLE_APPLICATION_CREDENTIALS', join(dir, 'nowhere.json')],
  ])('refuses %s=%s, by name and without its value', (name, value) => {
    const told = faultsOf({ ...REAL, [name]: value });
    for (const line of told?.split('\n').slice(1) ?? ['']) expect(line).toMatch(new RegExp(`^  ${name}[:.]`));
    const secret = value?.split(/[:@/]+/)[2] ?? value;
    if (secret !== undefined && secret.length > 8) expect(told).not.toContain(secret);
  });

  it('refuses credentials that others of the machine may read', () => {
    chmodSync(credentials, 0o604);
    expect(faultsOf({ ...REAL, GOOGLE_APPLICATION_CREDENTIALS: credentials })).toContain(
      'GOOGLE_APPLICATION_CREDENTIALS',
    );
    chmodSync(credentials, 0o640);
    expect(faultsOf({ ...REAL, GOOGLE_APPLICATION_CREDENTIALS: credentials })).toBeNull();
  });
});
