import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';

/** Argon2id with what OWASP's Password Storage Cheat Sheet asks at least: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Characters a password has where it is the only factor, and may have at most (NIST SP 800-63B-4 §3.1.1.2). */
const PASSWORD_LENGTH = { min: 15, max: 256 } as const;

/** Passwords of people who type the same characters on different keyboards compare equal (NIST: NFKC). */
const normalised = (password: string) => password.normalize('NFKC');

/**
 * Hashes a new password to PHC form.
 * @throws Refusal `password_unsuitable` when it is too short or too long.
 */
export async function hashPassword(password: string): Promise<string> {
  const length = [...normalised(password)].length;
  if (length < PASSWORD_LENGTH.min || length > PASSWORD_LENGTH.max) {
    const detail = `A password has ${PASSWORD_LENGTH.min} to ${PASSWORD_LENGTH.max} characters.`;
    throw new Refusal<AccessRefusal>('password_unsuitable', detail);
  }
  return hash(normalised(password), PARAMETERS);
}

export function verifyPassword(passwordHash: string, password: string): Promise<boolean> {
  return verify(passwordHash, normalised(password));
}

/** Whether a hash was made with other parameters than today's. */
export function isOutdated(passwordHash: string): boolean {
  const made = parseOptions(passwordHash);
  return Object.entries(PARAMETERS).some(([name, value]) => made[name as keyof typeof PARAMETERS] !== value);
}

/** A hash no password matches: checking against it costs what a known login costs, so that answers do not tell them apart. */
export function unmatchableHash(): Promise<string> {
  return hash(randomBytes(32), PARAMETERS);
}
