/**
 * The life of batches and of their alert as a small state machine: what each statement of the ledger does to the rows, and
 * what a worker knows between two statements. Times are left out: a lease may run out at any moment, so that a slow worker, a
 * dead one and one whose clock is wrong are the same.
 */

/** One character a recipient, as in the ledger: `.` pending, `~` begun, `a`ccepted, un`k`nown, `s`topped. */
type Results = string;

interface Batch {
  readonly asks: boolean;
  /** Told although the alert is held. */
  readonly passesHold: boolean;
  readonly version: number;
  readonly state: 'pending' | 'leased' | 'settled' | 'dead';
  readonly epoch: number;
  readonly phones: readonly number[];
  readonly results: Results;
}

/** What a worker has in hand. It dies by losing it. */
export interface Worker {
  readonly does: 'claimed' | 'begun' | 'leaving';
  readonly batch: number;
  readonly epoch: number;
  readonly alertEpoch: number;
  readonly version: number;
  readonly results: Results;
  /** Places still to be asked under this lease. */
  readonly todo: readonly number[];
  /** The place begun last: its answer the ledger learns with the next write. */
  readonly chunk: readonly number[];
  /** Begun before the alert was overtaken: it is on the wire. */
  readonly onTheWire: boolean;
}

interface Alert {
  readonly version: number;
  readonly epoch: number;
  readonly held: boolean;
  readonly stopped: boolean;
  readonly ended: boolean;
}

/** What may still happen, and how often. */
export interface Budget {
  /** Leases that run out. */
  readonly losses: number;
  /** Workers that die. */
  readonly crashes: number;
  /** Answers that never come, whether or not the phone was reached. */
  readonly ambiguous: number;
  readonly refusals: number;
  readonly faults: number;
  readonly updates: number;
  readonly holds: number;
  readonly stops: number;
  readonly endings: number;
  readonly topUps: number;
}

export interface World {
  readonly alert: Alert;
  readonly batches: readonly Batch[];
  readonly workers: readonly (Worker | null)[];
  /** By phone: the versions it has got, in order of coming. */
  readonly got: readonly (readonly number[])[];
  /** By phone: whether the ledger was ever in doubt about it. */
  readonly doubted: readonly boolean[];
  readonly lost: number;
  readonly ambiguities: number;
  readonly left: Budget;
}

/** Rules that a mutant leaves out, to see that each is needed. */
export interface Rules {
  /** Only the batch's present epoch may write. */
  readonly fence: boolean;
  /** A chunk is marked begun before it is sent. */
  readonly begin: boolean;
  /** Who begins a chunk learns whether the alert was overtaken. */
  readonly overtaking: boolean;
  /** A batch that settles behind its alert is brought up in the same transaction. */
  readonly bringUpAtSettling: boolean;
  /** A batch is claimed only when it is pending. */
  readonly oneClaim: boolean;
  /** Who is begun stays pending until somebody knows. */
  readonly doubtIsSentAgain: boolean;
}

export const LEDGER: Rules = {
  fence: true,
  begin: true,
  overtaking: true,
  bringUpAtSettling: true,
  oneClaim: true,
  doubtIsSentAgain: true,
};

const LATE_PHONE = 4;

/** Two batches of two phones, or of fewer, none sent, and two workers. One phone more may come late. */
export function begin(left: Budget, sizes: readonly [number, number]): World {
  const batch = (phones: number[]): Batch => ({
    ...{
      asks: true,
      passesHold: false,
      version: 1,
      state: 'pending',
      epoch: 0,
      phones,
      results: '.'.repeat(phones.length),
    },
  });
  const phones = [0, 1, 2, 3, LATE_PHONE];
  return {
    alert: { version: 1, epoch: 0, held: false, stopped: false, ended: false },
    batches: [batch([0, 1].slice(0, sizes[0])), batch([2, 3].slice(0, sizes[1]))],
    workers: [null, null],
    got: phones.map(() => []),
    doubted: phones.map(() => false),
    lost: 0,
    ambiguities: 0,
    left,
  };
}

const with_ = <T>(list: readonly T[], at: number, value: T): T[] => list.map((one, n) => (n === at ? value : one));
const spend = (world: World, what: keyof Budget): World => ({
  ...world,
  left: { ...world.left, [what]: world.left[what] - 1 },
});
const pendingPlaces = (results: Results) => [...results].flatMap((code, place) => ('.~'.includes(code) ? [place] : []));
const mark = (results: Results, places: readonly number[], code: string) =>
  [...results].map((old, place) => (places.includes(place) ? code : old)).join('');

const isBehind = (world: World, { version, asks }: Batch) =>
  version < world.alert.version || (asks && world.alert.stopped);

/** As `WaveRepository.bringUp`: who was asked, or may have been, and was not told the newest message is added to its wave. */
function bringUp(world: World, which: (at: number) => boolean): World {
  const { alert } = world;
  const untold: number[] = [];
  const batches = world.batches.map((batch, at): Batch => {
    const { asks, state, version, results } = batch;
    const stoppedNow = asks && alert.stopped && state !== 'settled';
    const older = version < alert.version && (asks || state !== 'settled');
    if (!which(at) || state === 'leased' || !(older || stoppedNow)) return batch;
    const over = !asks || alert.ended || alert.stopped;
    const brought = results.replaceAll('~', 'k').replaceAll('.', over ? 's' : '.');
    if (asks && older) untold.push(...batch.phones.filter((_, place) => 'ak'.includes(brought[place] as string)));
    const done = over || !brought.includes('.');
    return { ...batch, version: asks ? alert.version : version, results: brought, state: done ? 'settled' : state };
  });
  if (untold.length === 0) return { ...world, batches };
  const telling: Batch = {
    ...{ asks: false, passesHold: alert.ended, version: alert.version, state: 'pending', epoch: 0 },
    ...{ phones: untold, results: '.'.repeat(untold.length) },
  };
  return { ...world, batches: [...batches, telling] };
}

const all = () => true;
const only = (at: number) => (one: number) => one === at;

/** Whatever grows the alert's epoch: what was begun before is on the wire. */
function overtake(world: World, change: Partial<Alert>): World {
  return {
    ...world,
    alert: { ...world.alert, ...change, epoch: world.alert.epoch + 1 },
    workers: world.workers.map((worker) => worker && { ...worker, onTheWire: worker.does === 'begun' }),
  };
}

export function claim(world: World, by: number, at: number, rules: Rules): World | null {
  const free = ({ state }: Batch) => state === 'pending' || (!rules.oneClaim && state === 'leased');
  const row = world.batches[at] as Batch;
  if (!free(row)) return null;
  const behind = isBehind(world, row);
  const brought = behind ? bringUp(world, only(at)) : world;
  const batch = brought.batches[at] as Batch;
  const held = brought.alert.held && !batch.passesHold;
  if (!free(batch) || held || isBehind(brought, batch)) return behind ? brought : null;
  const leased = { ...batch, state: 'leased' as const, epoch: rules.oneClaim ? batch.epoch + 1 : batch.epoch };
  const worker: Worker = {
    ...{ does: 'claimed', batch: at, epoch: leased.epoch, alertEpoch: brought.alert.epoch, version: batch.version },
    ...{ results: batch.results, todo: pendingPlaces(batch.results), chunk: [], onTheWire: false },
  };
  const batches = with_(brought.batches, at, leased);
  return { ...brought, batches, workers: with_(brought.workers, by, worker) };
}

/** Whether a worker's writes count. */
export function holds(world: World, { batch, epoch }: Worker, rules: Rules): boolean {
  const row = world.batches[batch] as Batch;
  return rules.fence ? row.state === 'leased' && row.epoch === epoch : row.state !== 'dead';
}

/** The checkpoint before a chunk of one. */
export function beginChunk(world: World, by: number, rules: Rules): World {
  const worker = world.workers[by] as Worker;
  const [next, ...todo] = worker.todo;
  const chunk = [next as number];
  if (!holds(world, worker, rules)) return { ...world, workers: with_(world.workers, by, null) };
  const begun = rules.begin ? mark(worker.results, chunk, '~') : worker.results;
  const row = { ...(world.batches[worker.batch] as Batch), results: begun };
  const written = { ...world, batches: with_(world.batches, worker.batch, row) };
  const overtaken = rules.overtaking && world.alert.epoch !== worker.alertEpoch;
  const next_: Worker = overtaken
    ? { ...worker, does: 'leaving', chunk: [] }
    : { ...worker, does: 'begun', results: begun, todo, chunk };
  return { ...written, workers: with_(world.workers, by, next_) };
}

export type Answer = 'accepted' | 'refused' | 'reached' | 'not_reached';

/** The push itself. @throws Error where somebody is asked or told who must not be */
export function send(world: World, by: number, answer: Answer): World {
  const worker = world.workers[by] as Worker;
  const batch = world.batches[worker.batch] as Batch;
  const [place] = worker.chunk as [number];
  const phone = batch.phones[place] as number;
  const { alert } = world;
  if (!worker.onTheWire) {
    const over = batch.asks && (alert.stopped || alert.ended);
    if (over) throw new Error('somebody is asked after a stop or an ending that was there first');
    if (alert.held && !batch.passesHold) throw new Error('somebody is sent something of a held alert');
  }
  const known = world.got[phone]?.length || world.doubted[phone];
  if (!batch.asks && !known) throw new Error('somebody is told who was never asked');
  const arrived = answer === 'accepted' || answer === 'reached';
  const code = answer === 'accepted' ? 'a' : answer === 'refused' ? '.' : '~';
  const ambiguous = answer === 'reached' || answer === 'not_reached';
  const answered: Worker = {
    ...worker,
    does: 'claimed',
    results: mark(worker.results, [place], code),
    onTheWire: false,
  };
  const paid = ambiguous ? spend(world, 'ambiguous') : answer === 'refused' ? spend(world, 'refusals') : world;
  return {
    ...paid,
    workers: with_(world.workers, by, answered),
    got: arrived ? with_(world.got, phone, [...(world.got[phone] ?? []), worker.version]) : world.got,
    doubted: ambiguous ? with_(world.doubted, phone, true) : world.doubted,
    ambiguities: world.ambiguities + (ambiguous ? 1 : 0),
  };
}

/** Gives the batch back with what is known, or sets it aside. */
export function settle(world: World, by: number, rules: Rules, dead = false): World {
  const worker = world.workers[by] as Worker;
  const idle = { ...world, workers: with_(world.workers, by, null) };
  if (!holds(world, worker, rules)) return idle;
  const results = rules.doubtIsSentAgain ? worker.results : worker.results.replaceAll('~', 'k');
  const rest = pendingPlaces(results).length > 0;
  const state = dead ? 'dead' : rest ? 'pending' : 'settled';
  const row = { ...(world.batches[worker.batch] as Batch), results, state } as const;
  const written = { ...idle, batches: with_(world.batches, worker.batch, row) };
  const behind = rules.bringUpAtSettling && isBehind(written, row);
  return behind ? bringUp(written, only(worker.batch)) : written;
}

/** The sweep takes a leased batch back; its worker may be dead, or slow and go on. */
export function takeBack(world: World, at: number): World {
  const batch = world.batches[at] as Batch;
  const holders = world.workers.filter((one) => one?.batch === at && one.epoch === batch.epoch);
  // Whom the ledger has for begun, and those whose answers it has not learnt.
  const places = new Set([...pendingPlaces(batch.results).filter((place) => batch.results[place] === '~')]);
  for (const holder of holders) for (const place of holder?.chunk ?? []) places.add(place);
  const phones = [...places].map((place) => batch.phones[place] as number);
  const row = { ...batch, state: 'pending' as const };
  const alive = holders.length > 0;
  const taken: World = {
    ...(alive ? spend(world, 'losses') : world),
    batches: with_(world.batches, at, row),
    doubted: world.doubted.map((doubted, phone) => doubted || phones.includes(phone)),
    lost: world.lost + 1,
  };
  return isBehind(taken, row) ? bringUp(taken, only(at)) : taken;
}

export function crash(world: World, by: number): World {
  return { ...spend(world, 'crashes'), workers: with_(world.workers, by, null) };
}

/** By hand. */
export function retryDead(world: World, at: number): World | null {
  const behind = isBehind(world, world.batches[at] as Batch);
  const brought = behind ? bringUp(world, only(at)) : world;
  const batch = brought.batches[at] as Batch;
  if (batch.state !== 'dead') return brought;
  if (brought.alert.held && !batch.passesHold) return null;
  return { ...brought, batches: with_(brought.batches, at, { ...batch, state: 'pending' }) };
}

export function update(world: World): World {
  return bringUp(overtake(spend(world, 'updates'), { version: world.alert.version + 1 }), all);
}

export function end(world: World): World {
  return bringUp(overtake(spend(world, 'endings'), { version: world.alert.version + 1, ended: true }), all);
}

export function stop(world: World): World {
  return bringUp(overtake(spend(world, 'stops'), { stopped: true }), all);
}

export function hold(world: World): World {
  return overtake(spend(world, 'holds'), { held: true });
}

export function resume(world: World): World {
  return { ...world, alert: { ...world.alert, held: false } };
}

export function topUp(world: World): World {
  const late: Batch = {
    ...{ asks: true, passesHold: false, version: world.alert.version, state: 'pending', epoch: 0 },
    ...{ phones: [LATE_PHONE], results: '.' },
  };
  return { ...spend(world, 'topUps'), batches: [...world.batches, late] };
}
