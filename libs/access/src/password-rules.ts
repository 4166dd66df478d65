import type { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { Refusal } from '#platform';
import type { AccessRefusal } from './access.errors.ts';

/** Characters a password has where it is the only factor, and may have at most (NIST SP 800-63B-4 §3.1.1.2). */
const PASSWORD_LENGTH = { min: 15, max: 256 } as const;

/** Guesses that must not suffice (10^10, zxcvbn's highest score); attempts over the network are throttled besides. */
const STRONG = 4;

/** Characters that are judged: as many that cannot be guessed suffice, and judging grows with the square of the length. */
const JUDGED = 64;

/** Why a password is refused. */
export type PasswordFault = 'too_short' | 'too_long' | 'names_you' | 'leaked' | 'guessable';

const DETAILS: Readonly<Record<PasswordFault, string>> = {
  too_short: `A password has at least ${PASSWORD_LENGTH.min} characters. Four or five words that do not belong together do.`,
  too_long: `A password has at most ${PASSWORD_LENGTH.max} characters.`,
  names_you:
    'This password is little more than your name, login or agency. Choose words that nobody connects with you.',
  leaked:
    'This password, or most of it, stands in lists of leaked and common ones. Choose words that do not belong together.',
  guessable:
    'This password repeats or follows a pattern that is guessed early. Choose words that do not belong together.',
};

let judge: Promise<ZxcvbnFactory> | undefined;

/** Loaded when a password is first set: the lists take 50 MB, which no other process needs. */
async function loadJudge(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, { dictionary, adjacencyGraphs }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  return new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
}

/**
 * What is wrong with a new password, by NIST SP 800-63B-4 §3.1.1.2: length, and lists of leaked, common and expected words;
 * no rule on its composition.
 * @param password normalised
 * @param context words that others connect with the officer: login, name, agency.
 */
export async function passwordFault(password: string, context: readonly string[]): Promise<PasswordFault | null> {
  const characters = [...password];
  if (characters.length < PASSWORD_LENGTH.min) return 'too_short';
  if (characters.length > PASSWORD_LENGTH.max) return 'too_long';
  judge ??= loadJudge();
  const words = ['golden72', ...context.flatMap((text) => [text, ...text.split(/[\s.@_-]+/)])].filter(Boolean);
  const { score, sequence } = (await judge).check(characters.slice(0, JUDGED).join(''), words);
  if (score >= STRONG) return null;
  const lists = sequence.map((match) => (match as { readonly dictionaryName?: unknown }).dictionaryName);
  if (lists.includes('userInputs')) return 'names_you';
  return lists.some((list) => list !== undefined) ? 'leaked' : 'guessable';
}

/** @throws Refusal `password_unsuitable` with the `reason`, a {@link PasswordFault}. */
export async function assertPassword(password: string, context: readonly string[]): Promise<void> {
  const reason = await passwordFault(password, context);
  if (reason) throw new Refusal<AccessRefusal>('password_unsuitable', DETAILS[reason], { reason });
}
