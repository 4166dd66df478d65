/** What the simulator says when it is ready. */
export interface SimulatorReady {
  readonly fcm: string;
  readonly control: string;
  readonly ca: string;
  readonly credentials: string;
  readonly project: string;
}

interface KindStats {
  readonly accepted: number;
  readonly firstAcceptedAt: number | null;
  readonly lastAcceptedAt: number | null;
}

export interface AlertStats extends KindStats {
  readonly byKind: Readonly<Partial<Record<string, KindStats>>>;
  readonly phones: Readonly<Record<'received' | 'opened' | 'forwards' | 'views' | 'sightings', number>>;
}

/** The simulator's own books, over its control port: it shares no code with the product. */
export class SimulatorBooks {
  constructor(private readonly control: string) {}

  stats(alert: string): Promise<AlertStats> {
    return this.get(`/control/stats?alert=${alert}`);
  }

  /** Waits until the phones have done all that they were going to do. */
  async drain(): Promise<void> {
    await fetch(`${this.control}/control/drain?timeoutMs=60000`, { method: 'POST' });
  }

  private async get<Body>(path: string): Promise<Body> {
    const answer = await fetch(this.control + path);
    if (!answer.ok) throw new Error(`the simulator answered ${answer.status} to ${path}`);
    return (await answer.json()) as Body;
  }
}
