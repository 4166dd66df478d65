import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { cpuSeconds, type Process } from '../../test/harness/deployment.ts';
import type { Bench, Findings, Part, Row } from '../part.ts';
import { alternate, ratioOf, type Sample, sampleOf } from '../rounds.ts';
import type { Recipient, SendReport } from '../senders/job.ts';
import { simulatorEnv } from '../../test/harness/running-simulator.ts';
import { Sending } from '../sending.ts';
import { serversCpu } from '../servers-cpu.ts';

const RADIUS_M = 120_000;
const OURS = 'Golden72';
const BARE = 'bare HTTP/2, no books';
const PEERS = {
  [BARE]: 'bench/senders/bare.ts',
  'firebase-admin': 'bench/senders/firebase-admin.ts',
  'fcm-v1-http2': 'bench/senders/fcm-v1-http2.ts',
} as const;
/** Of those asked, how many a peer sends to at most: what a message costs it does not depend on how many follow, and a small run is to be short. */
const TO_PEERS = { tiny: Infinity, small: 50_000, full: Infinity } as const;
/** Before it is measured, as ours has sent a whole wave. */
const WARM_UP = 10_000;
type Name = typeof OURS | keyof typeof PEERS;

/** What one run cost its sender. */
interface Run {
  readonly perSecond: number;
  /** CPU seconds of the sender, a million messages. */
  readonly cpuS: number;
}

/** What one of our waves cost beside, a million messages. */
interface Beside {
  readonly api: number;
  readonly postgres: number;
  readonly redis: number;
  readonly walMb: number;
  readonly redisOps: number;
}

/** From an approval to the last push accepted and the ledger settled, beside senders that keep no ledger. */
export const dispatch: Part = {
  name: 'dispatch',
  async run(bench: Bench): Promise<Findings> {
    const sending = await Sending.start(bench);
    try {
      const race = await Race.prepare(bench, sending);
      const contenders = Object.fromEntries(race.names.map((name) => [name, () => race.run(name)])) as Record<
        Name,
        () => Promise<number>
      >;
      await alternate(contenders, { rounds: bench.rounds, stop: bench.stop });
      return race.findings();
    } finally {
      await sending.close();
    }
  },
};

class Race {
  readonly names: readonly Name[];
  readonly #bench: Bench;
  readonly #sending: Sending;
  readonly #redis: Redis;
  readonly #peers: ReadonlyMap<Name, Process<unknown>>;
  readonly #recipients: number;
  readonly #runs = new Map<Name, Run[]>();
  readonly #beside: Beside[] = [];
  #round = 0;

  private constructor(bench: Bench, sending: Sending, peers: ReadonlyMap<Name, Process<unknown>>, recipients: number) {
    this.#bench = bench;
    this.#sending = sending;
    this.#peers = peers;
    this.#recipients = recipients;
    this.#redis = new Redis(bench.redisUrl);
    this.names = [OURS, ...(peers.keys() as Iterable<Name>)];
  }

  /** The peers send to those whom an alert of ours has asked, nearest first. */
  static async prepare(bench: Bench, sending: Sending): Promise<Race> {
    const { city } = await bench.world();
    const { alertId } = await sending.approve(city.center, RADIUS_M);
    await sending.settled(alertId, bench.stop);
    await sending.nextDay();
    const { rows } = await sending.db.query<Recipient>(
      `SELECT d.token, d.platform, d.language FROM batches b JOIN batch_recipients r ON r.batch_id = b.id
         CROSS JOIN LATERAL unnest(r.ids) WITH ORDINALITY AS recipient(id, place) JOIN devices d ON d.id = recipient.id
       WHERE b.alert_id = $1 ORDER BY b.seq, recipient.place`,
      [alertId],
    );
    const file = join(bench.dir, 'recipients.json');
    await writeFile(file, JSON.stringify(rows));
    const env = { ...simulatorEnv(sending.simulator.ready), FCM_BEARER: await sending.simulator.bearer() };
    const peers = new Map<Name, Process<unknown>>();
    for (const [name, program] of Object.entries(PEERS)) {
      if (name === 'fcm-v1-http2' && !existsSync(join(bench.root, 'bench/peers/node_modules'))) continue;
      peers.set(name as Name, await bench.deployment().start(slug(name), program, env, [file]));
    }
    for (const [name, peer] of peers) await peer.ask<SendReport>({ alert: `warm-${slug(name)}`, count: WARM_UP });
    return new Race(bench, sending, peers, Math.min(rows.length, TO_PEERS[bench.size]));
  }

  async run(name: Name): Promise<number> {
    const run = name === OURS ? await this.#ours() : await this.#peer(name);
    const runs = this.#runs.get(name) ?? [];
    this.#runs.set(name, [...runs, run]);
    this.#bench.say(`  ${name}: ${Math.round(run.perSecond)}/s, ${run.cpuS.toFixed(1)} s of CPU a million`);
    return run.cpuS;
  }

  async #ours(): Promise<Run> {
    const { workers, api, simulator, db } = this.#sending;
    const worker = workers[0] as Process<unknown>;
    const { city } = await this.#bench.world();
    const approve = await this.#sending.ready(city.center, RADIUS_M);
    await db.query('CHECKPOINT');
    const look = async () => ({
      worker: cpuSeconds(worker.pid),
      api: cpuSeconds(api.pid),
      ...(await serversCpu(db, this.#redis)),
      ...(await this.#counters()),
    });
    const before = await look();
    const { alertId, approvedAt } = await approve();
    const settledAt = await this.#sending.settled(alertId, this.#bench.stop);
    const after = await look();
    const { targeted, accepted } = await this.#sending.results(alertId);
    const { lastAcceptedAt, accepted: taken } = await simulator.alert(alertId);
    if (accepted !== targeted || taken !== targeted) throw new Error(`${taken} of ${targeted} accepted`);
    await this.#sending.nextDay();
    const aMillion = (what: keyof typeof before) => ((after[what] - before[what]) / targeted) * 1e6;
    this.#beside.push({
      ...{ api: aMillion('api'), postgres: aMillion('postgres'), redis: aMillion('redis') },
      ...{ walMb: aMillion('walMb'), redisOps: aMillion('redisOps') },
    });
    const seconds = (Math.max(settledAt, lastAcceptedAt ?? 0) - approvedAt) / 1000;
    return { perSecond: targeted / seconds, cpuS: aMillion('worker') };
  }

  async #counters(): Promise<{ readonly walMb: number; readonly redisOps: number }> {
    const { rows } = await this.#sending.db.query<{ bytes: string }>(
      `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS bytes`,
    );
    const commands = /total_commands_processed:(\d+)/.exec(await this.#redis.info('stats'))?.[1];
    return { walMb: Number(rows[0]?.bytes) / 1e6, redisOps: Number(commands) };
  }

  async #peer(name: Name): Promise<Run> {
    const peer = this.#peers.get(name) as Process<unknown>;
    const alert = `peer-${slug(name)}-${this.#round++}`;
    const before = cpuSeconds(peer.pid);
    const { beganAt, accepted } = await peer.ask<SendReport>({ alert, count: this.#recipients });
    const cpu = cpuSeconds(peer.pid) - before;
    if (accepted !== this.#recipients) throw new Error(`${name}: ${accepted} of ${this.#recipients} accepted`);
    const { lastAcceptedAt } = await this.#sending.simulator.alert(alert);
    const seconds = ((lastAcceptedAt ?? NaN) - beganAt) / 1000;
    return { perSecond: accepted / seconds, cpuS: (cpu / accepted) * 1e6 };
  }

  findings(): Findings {
    this.#redis.disconnect();
    const sample = (name: Name, what: keyof Run): Sample =>
      sampleOf((this.#runs.get(name) ?? []).map((run) => run[what]));
    const [ourCpu, ourSpeed] = [sample(OURS, 'cpuS'), sample(OURS, 'perSecond')];
    const vsCpu = (name: Name) => (this.names.includes(name) ? ratioOf(sample(name, 'cpuS'), ourCpu) : null);
    const bareSpeed = sample(BARE, 'perSecond');
    const vsBareHttp2 = ratioOf(ourSpeed, bareSpeed);
    const cpuVsBare = ratioOf(ourCpu, sample(BARE, 'cpuS'));
    const beside = (what: keyof Beside) => sampleOf(this.#beside.map((each) => each[what])).median;
    const vsFirebaseAdminCpu = vsCpu('firebase-admin') ?? NaN;
    const ratios: Partial<Record<Name, Pick<Row, 'ratio' | 'reached'>>> = {
      [BARE]: { ratio: `${cpuVsBare.toFixed(2)}× its CPU (≤ 1.4×)`, reached: cpuVsBare <= 1.4 },
      'firebase-admin': {
        ratio: `${vsFirebaseAdminCpu.toFixed(1)}× for a CPU second (≥ 2×)`,
        reached: vsFirebaseAdminCpu >= 2,
      },
      'fcm-v1-http2': { ratio: `${(vsCpu('fcm-v1-http2') ?? NaN).toFixed(1)}× for a CPU second` },
    };
    const rows: Row[] = [
      ...this.names.map((name) => cpuRow(name, sample(name, 'cpuS'), ratios[name])),
      ...this.names.map((name) => ({
        ...speedRow(name, sample(name, 'perSecond')),
        ...(name === BARE && { ratio: `${vsBareHttp2.toFixed(2)}× (≥ 0.65×)`, reached: vsBareHttp2 >= 0.65 }),
      })),
      ...(['api', 'postgres', 'redis'] as const).map((what) => ({
        what: 'dispatch, CPU beside the sender',
        contender: what,
        measured: `${beside(what).toFixed(1)} s a million`,
      })),
      { what: 'dispatch, a million pushes', contender: 'WAL', measured: `${beside('walMb').toFixed(0)} MB` },
      { what: 'dispatch, a million pushes', contender: 'Redis', measured: `${beside('redisOps').toFixed(0)} commands` },
    ];
    return {
      rows,
      figures: {
        dispatch: { vsFirebaseAdminCpu, vsFcmV1Http2Cpu: vsCpu('fcm-v1-http2'), vsBareHttp2, cpuVsBare },
        perMillion: { cpuS: ourCpu.median, walMb: beside('walMb'), redisOps: beside('redisOps') },
      },
    };
  }
}

function slug(name: string): string {
  return name.replaceAll(/\W+/g, '-');
}

function cpuRow(contender: Name, { median, lowest, highest }: Sample, ratio: Partial<Row> = {}): Row {
  const spread = `${lowest.toFixed(1)} – ${highest.toFixed(1)} s`;
  return {
    what: 'dispatch, CPU of the sender',
    contender,
    measured: `${median.toFixed(1)} s a million`,
    spread,
    ...ratio,
  };
}

function speedRow(contender: Name, { median, lowest, highest }: Sample): Row {
  const spread = `${Math.round(lowest)} – ${Math.round(highest)}/s`;
  return { what: 'dispatch, messages to 120 km', contender, measured: `${Math.round(median)}/s`, spread };
}
