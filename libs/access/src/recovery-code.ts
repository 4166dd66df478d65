import { randomBytes } from 'node:crypto';
import { hashSecret } from '#platform';

/** Codes an officer holds for the day the phone is lost. */
export const RECOVERY_CODES = 10;

/** Crockford's base32: no letter that is read as another. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 24;

/** 120 random bits, so that a plain hash suffices (NIST SP 800-63B-4 §3.1.2.2 asks 112), as six groups of four. */
export function newRecoveryCode(): string {
  const letters = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return letters.match(/.{4}/g)?.join('-') ?? '';
}

/** What is kept of a code, however it was typed; null for what cannot be one. */
export function hashRecoveryCode(typed: string): Buffer | null {
  const letters = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return letters.length === LENGTH ? hashSecret(letters) : null;
}
