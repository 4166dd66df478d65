/** What a running simulator can be asked and told, in this process or through its control listener. */
import type { KeptArrival } from './arrivals.ts';
import type { Kind } from './payload.ts';
import type { JsonObject } from './proto-json.ts';
import type { Settings, SettingsPatch } from './settings.ts';
import type { AlertStats, Stats, Timeline } from './tally.ts';
import type { TokenState } from './verdicts.ts';

interface Drained {
  readonly drained: boolean;
  readonly pending: number;
}

export interface Actions {
  stats(): Stats;
  alertStats(alert: string): AlertStats;
  timeline(alert: string, kind?: Kind): Timeline;
  settings(): Settings;
  /** @throws SettingsError and changes nothing. */
  configure(patch: SettingsPatch): Promise<Settings>;
  /** Waits until the phones have nothing left to do. Default timeout: one minute. */
  drain(timeoutMs?: number): Promise<Drained>;
  /** Every message of the alert that a phone was sent; undefined where they are not kept. */
  arrivals(alert: string): readonly KeptArrival[] | undefined;
  /** The payloads the token's phone shows now, one per alert, after replacement. */
  shownBy(token: string): readonly JsonObject[];
  /** Switches a phone off, for which as much is kept as FCM keeps, and on again. */
  switchPhone(token: string, on: boolean): void;
  /** Gives a token a state that outranks the rates; undefined leaves it to them again. */
  setTokenState(token: string, state: TokenState | 'OK' | undefined): void;
  /** A bearer for a sender that does not sign in. */
  issueBearer(): string;
  /** Every bearer handed out so far is refused from now on. */
  revokeBearers(): void;
  /** Breaks every HTTP/2 connection without a GOAWAY. */
  dropSessions(): void;
}
