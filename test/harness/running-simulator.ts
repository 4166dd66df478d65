import type { SimulatorReady } from '../../apps/demo/src/simulator.ts';
import type { SettingsPatch } from '../../apps/fcm-simulator/src/settings.ts';

export type { SimulatorReady };

interface KindBooks {
  readonly accepted: number;
  readonly duplicates: number;
  /** Epoch milliseconds. */
  readonly firstAcceptedAt: number | null;
  readonly lastAcceptedAt: number | null;
}

/** What phones did with what they were sent. */
export type PhoneBooks = Readonly<
  Record<'received' | 'replaced' | 'ignoredStale' | 'offline' | 'opened' | 'forwards' | 'views', number>
>;

export interface Books extends KindBooks {
  readonly byKind: Readonly<Partial<Record<string, KindBooks>>>;
  readonly phones: PhoneBooks;
}

export interface AllBooks extends KindBooks {
  readonly requests: number;
  readonly byError: Readonly<Record<string, number>>;
  readonly unanswered: Readonly<Record<'timeout' | 'reset' | 'malformed' | 'refused' | 'aborted', number>>;
  /** Connections taken so far. */
  readonly sessions: number;
  readonly goaways: number;
  readonly phones: PhoneBooks;
}

/** One message that a phone was sent. */
export interface Arrival {
  readonly token: string;
  readonly kind: string;
  readonly version: number;
  /** What replaces it on a phone that is away; null without. */
  readonly collapseKey: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Whether the sender was told. */
  readonly answered: boolean;
}

/** What a phone shows of one alert. */
export interface Shown {
  readonly alert: string;
  readonly kind: string;
  readonly version: string;
}

/** The simulator's own books, which know nothing of the sender's. */
export class Simulator {
  readonly ready: SimulatorReady;

  constructor(ready: SimulatorReady) {
    this.ready = ready;
  }

  alert(id: string): Promise<Books> {
    return this.#ask(`/control/stats?alert=${id}`);
  }

  all(): Promise<AllBooks> {
    return this.#ask('/control/stats');
  }

  /** Most bands by which a push was accepted after a farther one. */
  async bandsInverted(alert: string): Promise<number> {
    const { maxBandInversion } = await this.#ask<{ maxBandInversion: number }>(`/control/timeline?alert=${alert}`);
    return maxBandInversion;
  }

  async bearer(): Promise<string> {
    return (await this.#ask<{ accessToken: string }>('/control/bearers', 'POST')).accessToken;
  }

  /** Every message of the alert, in the order they came; of a simulator started with `--keep-arrivals`. */
  async arrivals(alert: string): Promise<readonly Arrival[]> {
    return (await this.#ask<{ arrivals: readonly Arrival[] }>(`/control/arrivals?alert=${alert}`)).arrivals;
  }

  /** Changes how Google and the phones behave from now on. */
  async configure(settings: SettingsPatch): Promise<void> {
    await this.#ask('/control/settings', 'PATCH', settings);
  }

  async shownBy(token: string): Promise<readonly Shown[]> {
    return (await this.#ask<{ shown: readonly Shown[] }>('/control/phones/last', 'POST', { token })).shown;
  }

  async switchPhone(token: string, on: boolean): Promise<void> {
    await this.#ask('/control/phones/switch', 'POST', { token, on });
  }

  /** Waits until every phone has received what it is to receive. */
  async drain(): Promise<void> {
    await this.#ask('/control/drain', 'POST');
  }

  /** Every bearer handed out so far is refused. */
  async revokeBearers(): Promise<void> {
    await this.#ask('/control/bearers', 'DELETE');
  }

  /** Breaks every connection without a GOAWAY. */
  async dropSessions(): Promise<void> {
    await this.#ask('/control/sessions', 'DELETE');
  }

  async #ask<Answer>(path: string, method = 'GET', body?: unknown): Promise<Answer> {
    const answer = await fetch(this.ready.control + path, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`the simulator answered ${answer.status} to ${path}`);
    return (await answer.json()) as Answer;
  }
}

/** What a sender needs in its environment to take the simulator for Google. */
export function simulatorEnv({ fcm, ca, project, credentials }: SimulatorReady): Record<string, string> {
  return {
    FCM_ENDPOINT: fcm,
    FCM_CA: ca,
    FCM_PROJECT_ID: project,
    GOOGLE_CLOUD_PROJECT: project,
    GOOGLE_APPLICATION_CREDENTIALS: credentials,
  };
}
