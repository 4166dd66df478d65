import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { assertPassword } from './password-rules.ts';

/** Argon2id with what OWASP's Password Storage Cheat Sheet asks at least: 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Passwords of people who type the same characters on different keyboards compare equal (NIST: NFKC). */
const normalised = (password: string) => password.normalize('NFKC');

/**
 * Hashes a new password to PHC form.
 * @param context words that others connect with the officer: login, name, agency.
 * @throws Refusal `password_unsuitable` with its `reason`.
 */
export async function hashNewPassword(password: string, context: readonly string[]): Promise<string> {
  await assertPassword(normalised(password), context);
  return hashPassword(password);
}

/** Hashes a password that was checked before. */
export function hashPassword(password: string): Promise<string> {
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
