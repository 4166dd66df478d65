import { statSync } from 'node:fs';

/** A development key, refused where it matters: everything signed with it can be forged by anyone who reads this line. */
export const DEVELOPMENT_KEY = Buffer.alloc(32, 'golden72 development key').toString('base64');

/** Distinct values among a key's bytes: 32 random ones have about 30, fewer than 20 in one case of 10^11. */
const DISTINCT_BYTES = 20;

/** Characters of a server's password: what a person thinks up is shorter, and behind it lies everything. */
const PASSWORD_LENGTH = 16;

/** What images, manuals and habits put where a password belongs, in part or in whole. */
const WELL_KNOWN = /password|passwd|changeme|change-me|secret|postgres|golden72|redis|admin|example|123456|qwerty/i;

/** The settings that guard others. */
interface Guarded {
  readonly DEPLOYMENT: 'demo' | 'real';
  readonly SECRET_KEY: string;
  readonly SECRET_KEY_PREVIOUS?: string | undefined;
  readonly DATABASE_URL: string;
  readonly REDIS_URL: string;
  readonly PUBLIC_URL: string;
  readonly API_URL: string;
  readonly GOOGLE_APPLICATION_CREDENTIALS?: string | undefined;
}

export interface SettingFault {
  readonly name: keyof Guarded;
  /** What is wrong and what to do; never the value. */
  readonly message: string;
}

/** What makes the settings unfit for production or for real alerts. */
export function secretFaults(env: Guarded): SettingFault[] {
  const { SECRET_KEY_PREVIOUS: previous, GOOGLE_APPLICATION_CREDENTIALS: credentials } = env;
  return [
    ...faultsOf('SECRET_KEY', keyFault(env.SECRET_KEY)),
    ...faultsOf('SECRET_KEY_PREVIOUS', previous === undefined ? null : previousFault(previous, env.SECRET_KEY)),
    ...faultsOf('DATABASE_URL', passwordFault(new URL(env.DATABASE_URL))),
    ...faultsOf('REDIS_URL', passwordFault(new URL(env.REDIS_URL))),
    ...faultsOf('PUBLIC_URL', schemeFault(env.DEPLOYMENT, env.PUBLIC_URL)),
    ...faultsOf('API_URL', schemeFault(env.DEPLOYMENT, env.API_URL)),
    ...faultsOf('GOOGLE_APPLICATION_CREDENTIALS', credentials === undefined ? null : fileFault(credentials)),
  ];
}

function faultsOf(name: keyof Guarded, message: string | null): SettingFault[] {
  return message === null ? [] : [{ name, message }];
}

function keyFault(key: string): string | null {
  if (key === DEVELOPMENT_KEY)
    return 'is required in production and for real alerts (`npm run cli -- secret-key` makes one)';
  const bytes = Buffer.from(key, 'base64');
  const written = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (!written && new Set(bytes).size >= DISTINCT_BYTES) return null;
  return 'is not random: it is words or a pattern (`npm run cli -- secret-key` makes one)';
}

function previousFault(previous: string, current: string): string | null {
  return previous === current
    ? 'is the same as SECRET_KEY: give it the key of before, or leave it out'
    : keyFault(previous);
}

/** A server that is asked over a socket of this machine knows its caller by other means than a password. */
function passwordFault(url: URL): string | null {
  const password = decodeURIComponent(url.password);
  if (url.searchParams.get('host')?.startsWith('/')) return null;
  if (password === '') return 'has no password, which production and real alerts need';
  if (password.length < PASSWORD_LENGTH) return `has a password of fewer than ${PASSWORD_LENGTH} characters`;
  if (new Set(password).size < PASSWORD_LENGTH / 2) return 'has a password that is a pattern';
  return WELL_KNOWN.test(password) && password.length < 2 * PASSWORD_LENGTH ? 'has a well-known password' : null;
}

function schemeFault(deployment: Guarded['DEPLOYMENT'], url: string): string | null {
  return deployment === 'real' && !url.startsWith('https:') ? 'must be https for real alerts' : null;
}

/** The file lets whoever reads it send pushes in our name. */
function fileFault(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return 'names a file that does not exist';
  return (found.mode & 0o007) === 0 ? null : 'names a file that every user of this machine may read: chmod o= it';
}
