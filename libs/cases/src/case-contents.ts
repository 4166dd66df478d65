import type { CaseContents } from './case.types.ts';
import type { CaseKey } from './case-key.ts';

const PART = 'case';

/** Every name of {@link CaseContents}: `satisfies` holds that none is missing. */
const NAMES = Object.keys({
  details: 1,
  lastSeenFrom: 1,
  lastSeenUntil: 1,
  lastSeenPlace: 1,
  lastSeenPoint: 1,
  consent: 1,
  custodyOrderChecked: 1,
  publicity: 1,
  decisionReason: 1,
} satisfies Record<keyof CaseContents, 1>) as readonly (keyof CaseContents)[];

export function isContent(name: string): name is keyof CaseContents {
  return (NAMES as readonly string[]).includes(name);
}

/** Seals the private part of a case; what else `held` has stays out. */
export function sealContents(key: CaseKey, held: CaseContents): Buffer {
  return key.sealJson(PART, Object.fromEntries(NAMES.map((name) => [name, held[name]])));
}

/** JSON made texts of the instants. */
type Sealed = Omit<CaseContents, 'lastSeenFrom' | 'lastSeenUntil'> &
  Readonly<Record<'lastSeenFrom' | 'lastSeenUntil', string | null>>;

export function openContents(key: CaseKey, sealed: Uint8Array): CaseContents {
  const contents = key.openJson(PART, sealed) as Sealed;
  const { lastSeenFrom, lastSeenUntil } = contents;
  return { ...contents, lastSeenFrom: instantOf(lastSeenFrom), lastSeenUntil: instantOf(lastSeenUntil) };
}

function instantOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
