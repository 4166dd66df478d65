import type { Caller } from './staff.ts';
import type { Rule } from './rules.ts';
import type { Owner } from './canary.ts';
import { isCaseState } from './things.ts';

/** What is asked about: somebody's thing, one that is not there, or nothing in particular. */
export type About = Owner | 'absent' | 'none';

/** What sets a caller apart from others with the same roles. */
type Plight = 'shut_out' | 'frozen' | 'stale' | 'conflicted';

export interface Asker {
  readonly caller: Caller;
  readonly plight?: Plight;
}

/** A status, and the code of the problem where it is one. */
export interface Verdict {
  readonly status: number;
  readonly code?: string;
}

/** Who stands above whom. */
const ABOVE: Readonly<Partial<Record<Owner, readonly Owner[]>>> = { home: ['parent'], child: ['home', 'parent'] };

const DOORS = {
  officers: { kind: 'officer', refusal: 'session_invalid' },
  devices: { kind: 'device', refusal: 'device_invalid' },
  agency_keys: { kind: 'agency_key', refusal: 'agency_key_invalid' },
} as const;

/** What the rules say an asker is answered with. */
export function expected(rule: Rule, { caller, plight }: Asker, about: About): Verdict {
  if (rule.by !== 'public') {
    const { kind, refusal } = DOORS[rule.by];
    if (caller.kind !== kind || plight === 'shut_out' || plight === 'frozen') return { status: 401, code: refusal };
  }
  if (rule.only && (caller.kind !== 'officer' || plight === 'frozen')) return { status: 401 };
  if (about === 'absent') return { status: 404, ...coded(rule.missing) };
  if (rule.by !== 'officers') return { status: rule.ok };
  if (about !== 'none' && !reaches(rule, caller, about)) return { status: 404, ...coded(rule.missing) };
  if (!standing(caller).some((role) => rule.roles?.includes(role) ?? true)) return { status: 403, code: 'forbidden' };
  if (plight === 'conflicted' && barsConflicted(rule)) return { status: 403, code: 'conflict_of_interest' };
  if (rule.barred?.some((name) => caller.name === `${about} ${name}`))
    return { status: 403, code: 'verifier_is_author' };
  if (rule.mine && caller.name !== `${about} ${rule.mine[0]}`) return { status: 404, code: rule.mine[1] };
  if (plight === 'stale' && rule.more) return { status: 403, code: 'step_up_required' };
  return { status: rule.ok };
}

/** A conflict of interest is in a case, and so in its alert and in whatever is proposed for it. */
function barsConflicted({ on }: Rule): boolean {
  return on !== undefined && (on === 'change' || isCaseState(on));
}

/** An agency that is a thing stands below the one whose thing it is: nobody's own. */
function reaches(rule: Rule, caller: Caller, owner: Owner): boolean {
  const isOwn = caller.owner === owner;
  if (isOwn && rule.on !== 'agency') return true;
  const isAbove = isOwn || (caller.owner !== undefined && (ABOVE[owner]?.includes(caller.owner) ?? false));
  return isAbove && standing(caller).some((role) => (rule.above ?? ['verifier']).includes(role));
}

/** An administrator's other roles count for nothing. */
const standing = ({ roles }: Caller) => (roles.includes('administrator') ? (['administrator'] as const) : roles);

const coded = (code: string | undefined) => (code === undefined ? {} : { code });
