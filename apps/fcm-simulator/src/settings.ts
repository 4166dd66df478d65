/** Everything that can be set at start and changed while running, with its bounds. */

/** Milliseconds, both ends included. */
export interface DelayRange {
  readonly min: number;
  readonly max: number;
}

export interface Settings {
  /** Messages a minute; 0 for no limit. Google's default is 600 000. */
  readonly quotaPerMinute: number;
  /** Sent with 429 and 503; 0 sends no `Retry-After`. */
  readonly retryAfterSeconds: number;
  /** From the request's last byte to the answer; most draws lie near the lower end, as with a real service. */
  readonly latencyMs: DelayRange;
  /** Life of a bearer handed out from now on. */
  readonly tokenLifetimeSeconds: number;
  /** A session gets GOAWAY at every so many of its requests; 0 for never. */
  readonly goawayEvery: number;
  /** `graceful` finishes what it took; `abrupt` names an earlier stream and drops everything later, unprocessed. */
  readonly goawayKind: 'graceful' | 'abrupt';
  /** true answers 503 to all; `refuse` closes the port. */
  readonly down: boolean | 'refuse';
  /** Shares of messages, drawn in order of arrival; together at most 1. */
  readonly faults: {
    readonly unavailable: number;
    readonly internal: number;
    readonly quota429: number;
    /** The stream is taken and never answered. */
    readonly timeout: number;
    /** 200 with a broken body. */
    readonly malformed: number;
    /** The stream is reset without an answer. */
    readonly reset: number;
  };
  /** Share of the messages with a lost or broken answer (timeout, malformed, reset) that reach their phone all the same. */
  readonly ambiguousDelivered: number;
  /** Shares of all tokens, fixed by the token: a dead token stays dead. Together at most 1. */
  readonly unregisteredRate: number;
  readonly invalidRate: number;
  readonly senderMismatchRate: number;
  readonly thirdPartyAuthRate: number;
  readonly phones: PhoneSettings;
}

export interface PhoneSettings {
  /** Share of phones that are online; the others never receive anything. */
  readonly receiveRate: number;
  /** Share of phones that know themselves outside of the area: they stay silent and say 'outside'. */
  readonly outsideRate: number;
  /** Share of received alerts that are opened. */
  readonly openRate: number;
  /** Share of other received messages (update, cancel, found, expire) that are opened. */
  readonly endingOpenRate: number;
  /** Share of opened alerts that are forwarded. */
  readonly forwardRate: number;
  /** Each forward is opened by 0 to this many friends. */
  readonly maxFriends: number;
  /** Share of viewing friends who forward on. */
  readonly friendForwardRate: number;
  /** Share of receipts posted twice on purpose. */
  readonly duplicateRate: number;
  /** Sightings posted for each alert, in all. */
  readonly sightings: number;
  readonly deliveryMs: DelayRange;
  readonly openMs: DelayRange;
  readonly forwardMs: DelayRange;
  readonly viewMs: DelayRange;
  readonly sightingMs: DelayRange;
}

export type SettingsPatch = {
  readonly [K in keyof Settings]?: K extends 'faults' | 'phones' ? Partial<Settings[K]> : Settings[K];
};

export const DEFAULT_SETTINGS: Settings = {
  quotaPerMinute: 600_000,
  retryAfterSeconds: 1,
  latencyMs: { min: 0, max: 0 },
  tokenLifetimeSeconds: 3600,
  goawayEvery: 0,
  goawayKind: 'graceful',
  down: false,
  faults: { unavailable: 0, internal: 0, quota429: 0, timeout: 0, malformed: 0, reset: 0 },
  ambiguousDelivered: 0.5,
  unregisteredRate: 0,
  invalidRate: 0,
  senderMismatchRate: 0,
  thirdPartyAuthRate: 0,
  phones: {
    receiveRate: 0.9,
    outsideRate: 0,
    openRate: 0.35,
    endingOpenRate: 0.1,
    forwardRate: 0.2,
    maxFriends: 4,
    friendForwardRate: 0.15,
    duplicateRate: 0.02,
    sightings: 0,
    deliveryMs: { min: 50, max: 1500 },
    openMs: { min: 200, max: 4000 },
    forwardMs: { min: 200, max: 2000 },
    viewMs: { min: 200, max: 3000 },
    sightingMs: { min: 500, max: 4000 },
  },
};

/** A setting that does not exist or is out of its bounds; `setting` is its dotted name. */
export class SettingsError extends Error {
  readonly setting: string;
  constructor(setting: string, problem: string) {
    super(`${setting}: ${problem}`);
    this.name = 'SettingsError';
    this.setting = setting;
  }
}

type Check = (value: unknown) => string | undefined;
interface Checks {
  readonly [name: string]: Check | Checks;
}

const MAX_DELAY_MS = 86_400_000;

const between = (min: number, max: number, whole: boolean): Check => {
  return (value) => {
    const fits = typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
    return fits ? undefined : `must be a${whole ? ' whole' : ''} number from ${min} to ${max}`;
  };
};
const oneOf = (...values: unknown[]): Check => {
  return (value) => (values.includes(value) ? undefined : `must be one of ${values.map(String).join(', ')}`);
};
const delayRange: Check = (value) => {
  const fits =
    isRecord(value) &&
    Object.keys(value).length === 2 &&
    [value['min'], value['max']].every((end) => typeof end === 'number' && end >= 0 && end <= MAX_DELAY_MS) &&
    Number(value['min']) <= Number(value['max']);
  return fits ? undefined : `must be {"min", "max"} in milliseconds, 0 <= min <= max <= ${MAX_DELAY_MS}`;
};
const rate = between(0, 1, false);

const CHECKS: Checks = {
  quotaPerMinute: between(0, 1e9, false),
  retryAfterSeconds: between(0, 3600, true),
  latencyMs: delayRange,
  tokenLifetimeSeconds: between(0, 86_400, false),
  goawayEvery: between(0, 1e9, true),
  goawayKind: oneOf('graceful', 'abrupt'),
  down: oneOf(true, false, 'refuse'),
  faults: { unavailable: rate, internal: rate, quota429: rate, timeout: rate, malformed: rate, reset: rate },
  ambiguousDelivered: rate,
  unregisteredRate: rate,
  invalidRate: rate,
  senderMismatchRate: rate,
  thirdPartyAuthRate: rate,
  phones: {
    receiveRate: rate,
    outsideRate: rate,
    openRate: rate,
    endingOpenRate: rate,
    forwardRate: rate,
    maxFriends: between(0, 100, true),
    friendForwardRate: rate,
    duplicateRate: rate,
    sightings: between(0, 1000, true),
    deliveryMs: delayRange,
    openMs: delayRange,
    forwardMs: delayRange,
    viewMs: delayRange,
    sightingMs: delayRange,
  },
};

/** The settings with the patch applied. @throws SettingsError on an unknown name or a value out of bounds. */
export function changeSettings(settings: Settings, patch: unknown): Settings {
  const changed = merge(settings, patch, CHECKS, '') as Settings;
  requireAtMostOne('faults', Object.values(changed.faults));
  const { unregisteredRate, invalidRate, senderMismatchRate, thirdPartyAuthRate } = changed;
  requireAtMostOne('unregisteredRate', [unregisteredRate, invalidRate, senderMismatchRate, thirdPartyAuthRate]);
  return changed;
}

function merge(old: object, patch: unknown, checks: Checks, path: string): object {
  if (!isRecord(patch)) throw new SettingsError(path === '' ? 'settings' : path, 'must be an object');
  const result: Record<string, unknown> = { ...old };
  for (const [name, value] of Object.entries(patch)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    const where = path === '' ? name : `${path}.${name}`;
    if (check === undefined) throw new SettingsError(where, 'no such setting');
    if (typeof check === 'function') {
      const problem = check(value);
      if (problem !== undefined) throw new SettingsError(where, problem);
      result[name] = value;
    } else {
      result[name] = merge(result[name] as object, value, check, where);
    }
  }
  return result;
}

function requireAtMostOne(setting: string, shares: readonly number[]): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  if (sum > 1 + 1e-9) throw new SettingsError(setting, 'the shares add up to more than 1');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
