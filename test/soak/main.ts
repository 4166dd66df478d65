import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type Run, Stage } from '../chaos/stage.ts';
import { runInWorld } from '../chaos/world.ts';
import { growthOf, packed, tablesOf } from './disk.ts';
import { namedRows } from './named-rows.ts';
import { Samples } from './samples.ts';
import { Traffic } from './traffic.ts';
import { alsoSeen, books, disk, flatness, type Verdict } from './verdicts.ts';

const HELP = `npm run soak [-- options]

  --minutes N    of traffic, at least 2 (default: 60); 6 judge connections and queues, 15 memory and sockets, 45 all
  --every S      seconds between two samples (default: 5)
  --patience N   what may take long may take N times as long, on a machine that does other work (default: 1)
  --help         this

Alerts of several sizes, one after another, with phones that move in, and steady positions, receipts, opens, forwards and pages over
servers and processes of its own. Ctrl-C ends it. The last line is one JSON object.`;

/** 500 messages a second: what is measured is not the rate. */
const SETTING = { quotaPerMinute: 30_000, workers: 2, lively: true } as const;
const TOLD_EVERY_MS = 30_000;
/** Counts that a process keeps to itself for a second, and what is under way. */
const QUIET_MS = 5_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    every: { type: 'string', default: '5' },
    patience: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const minutes = atLeast('minutes', 2);
const everyMs = atLeast('every', 1) * 1000;
const patience = atLeast('patience', 1);
process.exitCode = await runInWorld({ name: 'soak', patience, say }, soak);

function atLeast(name: 'minutes' | 'every' | 'patience', least: number): number {
  const number = Number(values[name]);
  if (number >= least) return number;
  say(`--${name} is a number of at least ${least}.`);
  return process.exit(1);
}

async function soak(run: Run): Promise<number> {
  const stage = await Stage.open(run, SETTING);
  const samples = new Samples(stage);
  try {
    return report(await judge(stage, samples));
  } finally {
    samples.close();
    await stage.close();
  }
}

async function judge(stage: Stage, samples: Samples): Promise<Verdict[]> {
  const { ledger, simulator } = stage;
  const traffic = await Traffic.of(stage);
  const before = await tablesOf(ledger);
  const began = Date.now();
  await whileSampled(stage, samples, traffic, () => traffic.run(began + minutes * 60_000));
  const ranMinutes = (Date.now() - began) / 60_000;
  const deaths = stage.deaths();
  say('Counting …');
  await simulator.drain();
  await pause(QUIET_MS);
  const after = await tablesOf(ledger);
  const anew = await packed(ledger, after);
  const provider = await simulator.all();
  const lostLeases = await ledger.lostLeases(traffic.lives.map(({ alertId }) => alertId));
  const named = namedRows(traffic, provider.phones, stage.signIns);
  for (const fault of traffic.faults.slice(0, 20)) say(`  ${fault}`);
  return [
    ...books(traffic, provider, { lostLeases, quotaPerMinute: SETTING.quotaPerMinute, deaths }),
    ...flatness(samples.series, ranMinutes),
    ...disk(growthOf(before, after, anew, samples.readingsOf('rows turned over')), named),
    ...alsoSeen(samples.series),
  ];
}

/** Samples at once and then again and again, until the work is done. */
async function whileSampled(
  stage: Stage,
  samples: Samples,
  traffic: Traffic,
  work: () => Promise<void>,
): Promise<void> {
  const began = Date.now();
  let toldAt = began;
  const over = new AbortController();
  const sampling = (async () => {
    while (!over.signal.aborted) {
      await samples.take();
      if (Date.now() - toldAt >= TOLD_EVERY_MS) {
        toldAt = Date.now();
        tell(Math.round((toldAt - began) / 60_000), samples, traffic);
      }
      await pause(everyMs, undefined, { signal: AbortSignal.any([over.signal, stage.run.stop]) }).catch(
        () => undefined,
      );
      stage.run.stop.throwIfAborted();
    }
  })();
  try {
    await Promise.race([work(), sampling]);
  } finally {
    traffic.end();
    over.abort();
    await sampling.catch(() => undefined);
  }
}

function tell(minute: number, samples: Samples, { lives, answers }: Traffic): void {
  const resident = ['api', 'public', 'worker 1', 'worker 2'].map(
    (name) => `${name} ${Math.round(samples.last('resident MB', name))}`,
  );
  const keys = samples.last('keys kept', 'redis') + samples.last('keys that expire', 'redis');
  const asked = lives.reduce((sum, each) => sum + each.targeted, 0);
  say(
    `  ${String(minute).padStart(3)} of ${minutes} min: ${lives.length} alerts, ${asked} asked, ${answers.ok} answers; MB: ${resident.join(', ')}; ${keys} Redis keys`,
  );
}

function report(verdicts: readonly Verdict[]): number {
  const table = new Table({ head: ['what', 'measured', 'allowed', ''], style: { head: [], border: [] } });
  for (const { what, measured, allowed, ok } of verdicts)
    table.push([what, measured, allowed, ok === null ? '–' : ok ? 'ok' : 'NOT OK']);
  say('Medians of the middle third → of the last third; heaps: their lowest tenth.');
  say(table.toString());
  const ok = verdicts.every((verdict) => verdict.ok !== false);
  const undecided = verdicts
    .filter((each) => each.ok === null && each.allowed !== 'not judged')
    .map(({ what }) => what);
  if (undecided.length > 0) say(`Too short a run to tell of ${undecided.length} of these: see 'needs'.`);
  console.log(JSON.stringify({ soak: { minutes, ok, undecided, verdicts } }));
  return ok ? 0 : 1;
}
