import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { LonLat } from '#geo';
import { type Login, Services } from '../test/hostile/services.ts';
import { Officer } from '../test/harness/officer.ts';
import type { Process } from '../test/harness/deployment.ts';
import type { Bench } from './part.ts';
import { Simulator, type SimulatorReady, simulatorEnv } from '../test/harness/running-simulator.ts';

/** An alert that the deployment is sending. */
export interface Approved {
  readonly alertId: string;
  readonly caseId: string;
  readonly targeted: number;
  /** When the approval was answered, epoch milliseconds: its transaction had committed just before. */
  readonly approvedAt: number;
}

export interface SendingOptions {
  /** Messages a minute; without it as good as unlimited. */
  readonly quotaPerMinute?: number;
  readonly rampSeconds?: number;
  readonly workers?: number;
  /** Messages a minute that the simulator takes; 0, the default, for no limit. */
  readonly simulatorQuotaPerMinute?: number;
}

/** As package.json (`start:worker`) and docker-compose.yml start it. */
const WORKER_NODE = '--no-warnings --max-semi-space-size=16';
const UNLIMITED_PER_MINUTE = 1_000_000_000;
const POLL_MS = 25;
/** A proof of who an officer is lasts five minutes. */
const PROOF_MS = 240_000;

/** Api, workers and simulator over the world's database, with the officers who release alerts. The phones are off. */
export class Sending {
  readonly simulator: Simulator;
  readonly api: Process<{ readonly url: string }>;
  readonly workers: readonly Process<unknown>[];
  readonly db: Client;
  readonly #services: Services;
  readonly #center: LonLat;
  readonly #logins: { readonly liaison: Login; readonly verifier: Login };
  #signedIn: { readonly liaison: Officer; readonly verifier: Officer; readonly at: number } | undefined;

  private constructor(parts: {
    simulator: Simulator;
    api: Process<{ readonly url: string }>;
    workers: readonly Process<unknown>[];
    db: Client;
    services: Services;
    logins: { readonly liaison: Login; readonly verifier: Login };
    center: LonLat;
  }) {
    this.#center = parts.center;
    this.simulator = parts.simulator;
    this.api = parts.api;
    this.workers = parts.workers;
    this.db = parts.db;
    this.#services = parts.services;
    this.#logins = parts.logins;
  }

  static async start(bench: Bench, options: SendingOptions = {}): Promise<Sending> {
    const { quotaPerMinute = UNLIMITED_PER_MINUTE, rampSeconds = 0, workers = 1 } = options;
    const { databaseUrl, city } = await bench.world();
    const deployment = bench.deployment();
    await forget(bench.redisUrl);
    const { ready: simulatorReady } = await deployment.start<SimulatorReady>(
      'simulator',
      'dist/apps/fcm-simulator/src/main.js',
      {},
      [
        ...['--dir', join(bench.dir, 'simulator'), '--receive-rate', '0'],
        ...['--quota-per-minute', String(options.simulatorQuotaPerMinute ?? 0)],
      ],
    );
    const env = {
      ...{ DATABASE_URL: databaseUrl, REDIS_URL: bench.redisUrl, PORT: '0', WORKER_PORT: '0' },
      ...{ RATE_LIMIT_FACTOR: '1000', TRUST_PROXY: 'true' },
      ...{ PUSH_QUOTA_PER_MINUTE: String(quotaPerMinute), PUSH_RAMP_SECONDS: String(rampSeconds) },
      ...simulatorEnv(simulatorReady),
    };
    const services = await Services.open({ ...process.env, ...env });
    const agencyId = await services.agency('Bench', city.center, undefined, 3);
    const logins = {
      liaison: await services.officer(agencyId, ['liaison'], 'Bench liaison'),
      verifier: await services.officer(agencyId, ['verifier'], 'Bench verifier'),
    };
    const api = await deployment.start<{ url: string }>('api', 'dist/apps/api/src/main.js', env);
    const started: Process<unknown>[] = [];
    for (let n = 1; n <= workers; n++) {
      const options = { ...env, NODE_OPTIONS: WORKER_NODE };
      started.push(await deployment.start(`worker-${n}`, 'dist/apps/worker/src/main.js', options));
    }
    const db = new Client({ connectionString: databaseUrl });
    await db.connect();
    const simulator = new Simulator(simulatorReady);
    return new Sending({ simulator, api, workers: started, db, services, logins, center: city.center });
  }

  /** An alert filed and submitted by one officer and approved by another: critical, a circle around the place. */
  async approve(center: LonLat, radiusM: number): Promise<Approved> {
    const { liaison, verifier } = await this.#officers();
    const filed = await liaison.file(center, radiusM);
    const released = await verifier.approve(filed);
    return { ...released, caseId: filed.caseId, approvedAt: Date.now() };
  }

  /** Files and submits now; what is returned approves, and is all that is left to do. */
  async ready(center: LonLat, radiusM: number): Promise<() => Promise<Approved>> {
    const { liaison, verifier } = await this.#officers();
    const filed = await liaison.file(center, radiusM);
    return async () => {
      const released = await verifier.approve(filed);
      return { ...released, caseId: filed.caseId, approvedAt: Date.now() };
    };
  }

  /** One officer stops the alert: nobody is asked any more, and nothing else is told. */
  async stopAlert(alertId: string): Promise<void> {
    await (await this.#officers()).liaison.stop(alertId);
  }

  /** @returns when it was answered, epoch milliseconds */
  async endFound(alertId: string): Promise<number> {
    await (await this.#officers()).verifier.endFound(alertId);
    return Date.now();
  }

  /** Waits for every wave of the alert. @returns when the last one settled, epoch milliseconds */
  async settled(alertId: string, stop: AbortSignal): Promise<number> {
    for (;;) {
      stop.throwIfAborted();
      const { rows } = await this.db.query<{ open: boolean; at: Date }>(
        'SELECT bool_or(settled_at IS NULL) AS open, max(settled_at) AS at FROM waves WHERE alert_id = $1',
        [alertId],
      );
      const [row] = rows;
      if (row && !row.open) return row.at.getTime();
      await pause(POLL_MS);
    }
  }

  /** Waits until no worker has a batch of the alert in hand. */
  async quiet(alertId: string, stop: AbortSignal): Promise<void> {
    for (;;) {
      stop.throwIfAborted();
      const { rowCount } = await this.db.query(
        `SELECT 1 FROM batches WHERE alert_id = $1 AND state = 'leased' LIMIT 1`,
        [alertId],
      );
      if (rowCount === 0) return;
      await pause(POLL_MS);
    }
  }

  /** Devices within so many metres of the city's centre. */
  async devicesIn(radiusM: number): Promise<number> {
    const { rows } = await this.db.query<{ devices: number }>(
      `SELECT count(*)::int AS devices FROM positions WHERE ${NEAR} AND ${DISTANCE} <= $3`,
      [...this.#center, radiusM],
    );
    return rows[0]?.devices ?? 0;
  }

  /** Metres around the city's centre that so many devices are within. */
  async radiusOf(devices: number): Promise<number> {
    const { rows } = await this.db.query<{ metres: number }>(
      `SELECT max(metres) AS metres FROM (
         SELECT ${DISTANCE} AS metres FROM positions WHERE ${NEAR} ORDER BY metres LIMIT $3) nearest`,
      [...this.#center, Math.round(devices)],
    );
    return Math.max(1_000, Math.ceil(rows[0]?.metres ?? 0));
  }

  /** What became of those asked, by the ledger. */
  async results(alertId: string): Promise<{ readonly targeted: number; readonly accepted: number }> {
    const { rows } = await this.db.query<{ targeted: number; accepted: number }>(
      `SELECT coalesce(sum(size), 0)::int AS targeted, coalesce(sum(accepted), 0)::int AS accepted
       FROM batches b JOIN waves w ON w.id = b.wave_id WHERE b.alert_id = $1 AND w.audience = 'ring'`,
      [alertId],
    );
    return rows[0] as { targeted: number; accepted: number };
  }

  /** Puts all rings so far two days into the past: a device is asked only so often in 24 hours. */
  async nextDay(): Promise<void> {
    await this.db.query(`UPDATE waves SET created_at = created_at - interval '2 days' WHERE audience = 'ring'`);
  }

  async close(): Promise<void> {
    await this.db.end();
    await this.#services.close();
  }

  async #officers(): Promise<{ readonly liaison: Officer; readonly verifier: Officer }> {
    if (this.#signedIn && Date.now() - this.#signedIn.at < PROOF_MS) return this.#signedIn;
    const { liaison, verifier } = this.#logins;
    const { url } = this.api.ready;
    const at = Date.now();
    this.#signedIn = { liaison: await Officer.signIn(url, liaison), verifier: await Officer.signIn(url, verifier), at };
    return this.#signedIn;
  }
}

/** Metres from a place ($1, $2) as the audience counts them, and a box of two degrees that it is worth looking in. */
const DISTANCE = `ST_Distance(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography)`;
const NEAR = `lon BETWEEN $1::float8 - 2 AND $1::float8 + 2 AND lat BETWEEN $2::float8 - 2 AND $2::float8 + 2`;

/** Queues and the pacer's state of an earlier deployment. */
async function forget(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.flushdb();
  redis.disconnect();
}
