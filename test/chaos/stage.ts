import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../scripts/setup/ports.mjs';
import type { Deployment, Process } from '../harness/deployment.ts';
import { Answered, type Filed, Officer } from '../harness/officer.ts';
import { Simulator, type SimulatorReady, simulatorEnv } from '../harness/running-simulator.ts';
import type { Login } from '../hostile/services.ts';
import { LedgerReader } from './ledger.ts';
import { Proxy } from './proxy.ts';
import type { Setting } from './setting.ts';
import type { Servers } from './servers.ts';
import { TOWN } from './population.ts';

/** What all scenarios of a run have in common. */
export interface Run {
  /** The clone, built. */
  readonly root: string;
  /** For logs and certificates. */
  readonly dir: string;
  readonly servers: Servers;
  readonly deployment: Deployment;
  readonly logins: { readonly liaison: Login; readonly verifier: Login };
  /** A database full of phones, to be cloned. */
  readonly template: string;
  /** Of the deployment, as production demands. */
  readonly secretKey: string;
  /** What may take long may take so many times as long: for a machine that does other work meanwhile. */
  readonly patience: number;
  /** A line of progress for people. */
  say(line: string): void;
  /** Raised when the run is to end. */
  readonly stop: AbortSignal;
}

/** A released alert. */
export interface Released {
  readonly alertId: string;
  /** When its release was committed, epoch milliseconds. */
  readonly at: number;
}

/** As package.json (`start:worker`) and docker-compose.yml start it. */
const WORKER_NODE = '--no-warnings --max-semi-space-size=16';
/** A proof of who an officer is lasts five minutes. */
const PROOF_MS = 240_000;
/** An officer looks at a page that does not answer for so long, and then tries again. */
const PATIENCE_MS = 5_000;
const AGAIN_MS = 250;
const POLL_MS = 100;

/** Google and the phones on a good day: answers take a moment, so that whatever breaks finds messages on the wire. */
const FAIR = {
  quotaPerMinute: 0,
  retryAfterSeconds: 1,
  latencyMs: { min: 20, max: 300 },
  tokenLifetimeSeconds: 3600,
  goawayEvery: 0,
  goawayKind: 'graceful',
  down: false,
  faults: { unavailable: 0, internal: 0, quota429: 0, timeout: 0, malformed: 0, reset: 0 },
  ambiguousDelivered: 0.5,
  unregisteredRate: 0,
  phones: {
    ...{ receiveRate: 1, outsideRate: 0, openRate: 0, endingOpenRate: 0, forwardRate: 0, duplicateRate: 0 },
    deliveryMs: { min: 0, max: 50 },
  },
} as const;

interface Ports {
  readonly api: number;
  readonly public: number;
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`;

/** Api, workers, Google and the phones over a database of their own, with the officers who release alerts. */
export class Stage {
  readonly run: Run;
  readonly setting: Setting;
  readonly simulator: Simulator;
  readonly simulatorPid: number;
  readonly ledger: LedgerReader;
  readonly database: string;
  /** The networks between the processes and what they use. */
  readonly network: { readonly apiRedis: Proxy; readonly workerRedis: Proxy; readonly provider: Proxy };
  readonly #ports: Ports;
  #public: Process<{ readonly url: string }> | undefined;
  #api: Process<{ readonly url: string }> | undefined;
  readonly #workers: Process<unknown>[] = [];
  #workersStarted = 0;
  #signIns = 0;
  #signedIn: { readonly liaison: Officer; readonly verifier: Officer; readonly at: number } | undefined;

  private constructor(
    run: Run,
    setting: Setting,
    parts: Pick<Stage, 'simulator' | 'simulatorPid' | 'ledger' | 'database' | 'network'> & { readonly ports: Ports },
  ) {
    this.run = run;
    this.setting = setting;
    this.simulator = parts.simulator;
    this.simulatorPid = parts.simulatorPid;
    this.ledger = parts.ledger;
    this.database = parts.database;
    this.network = parts.network;
    this.#ports = parts.ports;
  }

  static async open(run: Run, setting: Setting): Promise<Stage> {
    const { servers, deployment, dir } = run;
    const database = `stage_${Date.now().toString(36)}`;
    await servers.clone(run.template, database);
    await servers.flushRedis();
    const ports = { api: await freePort(), public: await freePort() };
    const args = ['--dir', join(dir, 'simulator'), '--keep-arrivals'];
    if (setting.lively) args.push('--api-url', urlOf(ports.api));
    const { ready, pid } = await deployment.start<SimulatorReady>(
      'simulator',
      'dist/apps/fcm-simulator/src/main.js',
      {},
      args,
    );
    const network = {
      apiRedis: await Proxy.to(servers.redisPort),
      workerRedis: await Proxy.to(servers.redisPort),
      provider: await Proxy.to(Number(new URL(ready.fcm).port)),
    };
    const ledger = new LedgerReader(servers.databaseUrl(database));
    const parts = { simulator: new Simulator(ready), simulatorPid: pid, ledger, database, network, ports };
    const stage = new Stage(run, setting, parts);
    await stage.simulator.configure(FAIR);
    await stage.startApi();
    for (let n = 0; n < setting.workers; n++) await stage.startWorker();
    if (setting.lively) await stage.#startPublic();
    return stage;
  }

  /** The alert pages. */
  get public(): Process<{ readonly url: string }> {
    if (!this.#public) throw new Error('no alert page is served: the setting is not lively');
    return this.#public;
  }

  get api(): Process<{ readonly url: string }> {
    if (!this.#api) throw new Error('the api does not run');
    return this.#api;
  }

  /** Those that run, first started first. */
  get workers(): readonly Process<unknown>[] {
    return this.#workers.filter(({ alive }) => alive);
  }

  /** As after a quiet night: the weather is fair and everyone may be asked again. */
  async refresh(): Promise<void> {
    for (const proxy of Object.values(this.network)) proxy.turn('fair');
    await this.mendProvider();
    if (!this.#api?.alive) await this.startApi();
    while (this.workers.length < this.setting.workers) await this.startWorker();
    for (const worker of this.workers.slice(this.setting.workers)) await this.stopWorker(worker);
    await this.ledger.nextDay();
    // Before anything breaks, and not when it has.
    this.#signedIn = undefined;
    await this.officers();
  }

  async mendProvider(): Promise<void> {
    await this.simulator.configure(FAIR);
  }

  async startApi(): Promise<void> {
    const env = { ...this.#env(this.network.apiRedis), PORT: String(this.#ports.api) };
    this.#api = await this.run.deployment.start<{ url: string }>('api', 'dist/apps/api/src/main.js', env);
  }

  async killApi(): Promise<void> {
    await this.api.kill();
  }

  async stopApi(): Promise<void> {
    await this.api.stop();
  }

  /** @param env more, or other, settings than the usual ones */
  async startWorker(env: NodeJS.ProcessEnv = {}): Promise<Process<unknown>> {
    const name = `worker-${++this.#workersStarted}`;
    const all = { ...this.#env(this.network.workerRedis), WORKER_PORT: '0', NODE_OPTIONS: WORKER_NODE, ...env };
    const worker = await this.run.deployment.start(name, 'dist/apps/worker/src/main.js', all);
    this.#workers.push(worker);
    return worker;
  }

  async stopWorker(worker: Process<unknown>): Promise<void> {
    this.#forget(worker);
    await worker.stop();
  }

  async killWorker(worker: Process<unknown>): Promise<void> {
    this.#forget(worker);
    await worker.kill();
  }

  /** Processes that ended though nobody ended them. */
  deaths(): string[] {
    const all = [...(this.#api ? [this.#api] : []), ...this.#workers];
    return all.filter(({ alive }) => !alive).map(({ log, pid }) => `process ${pid} ended by itself: ${log}`);
  }

  /** A critical alert for a circle around the town, written by one officer and ready for another to verify. */
  async file(radiusM: number): Promise<Filed> {
    return (await this.officers()).liaison.file(TOWN, radiusM);
  }

  /** A verifier releases it, trying again until it is released. */
  async release(filed: Filed): Promise<Released> {
    await this.insist(async () => (await this.officers()).verifier.approve(filed));
    const released = await this.ledger.released(filed.caseId);
    if (!released) throw new Error('an alert whose approval was answered is not released');
    return released;
  }

  async officers(): Promise<{ readonly liaison: Officer; readonly verifier: Officer }> {
    if (this.#signedIn && Date.now() - this.#signedIn.at < PROOF_MS) return this.#signedIn;
    const { liaison, verifier } = this.run.logins;
    const signIn = (login: Login) => {
      this.#signIns++;
      return Officer.signIn(this.api.ready.url, login, PATIENCE_MS);
    };
    this.#signedIn = { liaison: await signIn(liaison), verifier: await signIn(verifier), at: Date.now() };
    return this.#signedIn;
  }

  /** How often officers have signed in so far, or tried to. */
  get signIns(): number {
    return this.#signIns;
  }

  /**
   * Does what an officer does until it is answered.
   * @returns null where it is refused as done already: by a try whose answer got lost
   */
  async insist<Answer>(act: () => Promise<Answer>): Promise<Answer | null> {
    for (;;) {
      this.run.stop.throwIfAborted();
      try {
        return await act();
      } catch (error) {
        if (error instanceof Answered && error.status === 409) return null;
        if (error instanceof Answered && error.status < 500 && error.status !== 429) throw error;
      }
      await pause(AGAIN_MS);
    }
  }

  /** Waits for a condition. @returns null when it does not come true in time */
  async until<Value>(condition: () => Promise<Value> | Value, withinMs: number): Promise<NonNullable<Value> | null> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      this.run.stop.throwIfAborted();
      const value = await condition();
      if (value) return value;
      if (Date.now() > deadline) return null;
      await pause(POLL_MS);
    }
  }

  /** Runs a command of the operators' own on this stage's database. */
  async cli(...command: readonly string[]): Promise<void> {
    const env = { ...process.env, ...this.#env(this.network.apiRedis) };
    const program = join(this.run.root, 'dist/apps/cli/src/main.js');
    await promisify(execFile)(process.execPath, [program, ...command], { cwd: this.run.root, env });
  }

  /** Lets a fault last. */
  async last(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.run.stop });
  }

  async close(): Promise<void> {
    await this.ledger.close();
    await this.run.deployment.stop();
    for (const proxy of Object.values(this.network)) await proxy.close();
    await this.run.servers.drop(this.database);
  }

  async #startPublic(): Promise<void> {
    const env = { ...this.#env(this.network.apiRedis), PUBLIC_PORT: String(this.#ports.public) };
    this.#public = await this.run.deployment.start<{ url: string }>('public', 'dist/apps/public/src/main.js', env);
  }

  #forget(worker: Process<unknown>): void {
    this.#workers.splice(this.#workers.indexOf(worker), 1);
  }

  #env(redis: Proxy): NodeJS.ProcessEnv {
    const { servers } = this.run;
    const fcm = simulatorEnv(this.simulator.ready);
    return {
      ...fcm,
      FCM_ENDPOINT: Object.assign(new URL(fcm['FCM_ENDPOINT'] ?? ''), { port: String(this.network.provider.port) })
        .origin,
      DATABASE_URL: servers.databaseUrl(this.database),
      REDIS_URL: servers.redisUrl(redis.port),
      SECRET_KEY: this.run.secretKey,
      RATE_LIMIT_FACTOR: '1000',
      TRUST_PROXY: 'true',
      PUBLIC_URL: urlOf(this.#ports.public),
      PUSH_QUOTA_PER_MINUTE: String(this.setting.quotaPerMinute),
      PUSH_RAMP_SECONDS: '0',
    };
  }
}
