/** What the simulator says when it is ready. */
export interface SimulatorReady {
  readonly fcm: string;
  readonly control: string;
  readonly ca: string;
  readonly credentials: string;
  readonly project: string;
}

interface KindBooks {
  readonly accepted: number;
  readonly duplicates: number;
  /** Epoch milliseconds. */
  readonly firstAcceptedAt: number | null;
  readonly lastAcceptedAt: number | null;
}

export interface Books extends KindBooks {
  readonly byKind: Readonly<Partial<Record<string, KindBooks>>>;
}

interface AllBooks extends KindBooks {
  readonly byError: Readonly<Record<string, number>>;
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

  async #ask<Answer>(path: string, method = 'GET'): Promise<Answer> {
    const answer = await fetch(this.ready.control + path, { method });
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
