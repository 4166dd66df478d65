import { randomInt } from 'node:crypto';

/** Crockford's base 32: no letter that is misheard or misread for another or for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

const block = () => Array.from({ length: 4 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

/** A reference that people can say on the phone and nobody can count cases by: 40 random bits, `G72-7KQ4-M2XD`. */
export function newCaseReference(): string {
  return `G72-${block()}-${block()}`;
}
