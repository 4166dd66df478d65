import {
  type Answer,
  begin,
  beginChunk,
  type Budget,
  claim,
  crash,
  end,
  hold,
  holds,
  resume,
  retryDead,
  type Rules,
  send,
  settle,
  stop,
  takeBack,
  topUp,
  update,
  type World,
} from './world.ts';

/** What was seen of a play: every state that any order of its happenings leads to. */
export interface Seen {
  readonly states: number;
  readonly ends: number;
  /** Happenings from the beginning to the farthest end. */
  readonly depth: number;
}

type Step = readonly [name: string, next: () => World | null];

/** Walks breadth-first through all interleavings to the last. @throws Error naming the steps to the first state that breaks a promise */
export function explore(budget: Budget, rules: Rules, sizes: readonly [number, number] = [2, 2]): Seen {
  const first = begin(budget, sizes);
  const seen = new Set([keyOf(first)]);
  let frontier: { world: World; path: Path | null }[] = [{ world: first, path: null }];
  let [ends, depth] = [0, 0];
  for (; frontier.length > 0; depth++) {
    const next: typeof frontier = [];
    for (const { world, path } of frontier) {
      let moved = false;
      for (const [name, step] of stepsOf(world, rules)) {
        const here = { name, before: path };
        const after = forgetIdle(attempt(step, here), rules);
        if (!after) continue;
        moved = true;
        const key = keyOf(after);
        if (seen.has(key)) continue;
        seen.add(key);
        attempt(() => demandBound(after), here);
        next.push({ world: after, path: here });
      }
      if (moved) continue;
      ends++;
      attempt(() => demandEnd(world), path);
    }
    frontier = next;
  }
  return { states: seen.size, ends, depth };
}

/** Who has lost the lease and has nothing on the wire will do nothing more: its next write tells it so. */
function forgetIdle(world: World | null, rules: Rules): World | null {
  if (!world || !rules.fence) return world;
  const workers = world.workers.map((one) => (one && one.does !== 'begun' && !holds(world, one, rules) ? null : one));
  return { ...world, workers };
}

interface Path {
  readonly name: string;
  readonly before: Path | null;
}

function attempt<Result>(step: () => Result, path: Path | null): Result {
  try {
    return step();
  } catch (error) {
    const names: string[] = [];
    for (let at = path; at; at = at.before) names.unshift(at.name);
    throw new Error(`${error instanceof Error ? error.message : String(error)}: ${names.join(', ')}`, { cause: error });
  }
}

function* stepsOf(world: World, rules: Rules): Generator<Step> {
  yield* officers(world);
  for (const [at, batch] of world.batches.entries()) {
    const mine = world.workers.some((one) => one?.batch === at && one.epoch === batch.epoch);
    if (batch.state === 'leased' && (!mine || world.left.losses > 0))
      yield [`take back ${at}`, () => takeBack(world, at)];
    if (batch.state === 'dead') yield [`retry ${at}`, () => retryDead(world, at)];
  }
  for (const by of world.workers.keys()) yield* work(world, by, rules);
}

function* officers(world: World): Generator<Step> {
  const { alert, left } = world;
  if (alert.held) yield ['resume', () => resume(world)];
  if (alert.ended) return;
  if (left.updates > 0) yield ['update', () => update(world)];
  if (left.endings > 0) yield ['end', () => end(world)];
  if (left.stops > 0 && !alert.stopped) yield ['stop', () => stop(world)];
  if (left.holds > 0 && !alert.held) yield ['hold', () => hold(world)];
  if (left.topUps > 0 && !alert.held && !alert.stopped) yield ['top-up', () => topUp(world)];
}

function* work(world: World, by: number, rules: Rules): Generator<Step> {
  const worker = world.workers[by];
  const { left } = world;
  if (!worker) {
    // Workers are alike: the first that is free stands for all.
    if (world.workers.indexOf(null) !== by) return;
    for (const at of world.batches.keys()) yield [`${by} claims ${at}`, () => claim(world, by, at, rules)];
    return;
  }
  if (left.crashes > 0) yield [`${by} dies`, () => crash(world, by)];
  if (worker.does === 'begun') {
    const answers: Answer[] = ['accepted'];
    if (left.refusals > 0) answers.push('refused');
    if (left.ambiguous > 0) answers.push('reached', 'not_reached');
    for (const answer of answers) yield [`${by} sends (${answer})`, () => send(world, by, answer)];
    return;
  }
  const rest = worker.todo.length > 0;
  if (worker.does === 'claimed' && rest) yield [`${by} begins`, () => beginChunk(world, by, rules)];
  if (worker.does === 'leaving' || !rest) yield [`${by} settles`, () => settle(world, by, rules)];
  if (left.faults > 0 && worker.does === 'claimed')
    yield [`${by} throws`, () => settle({ ...world, left: { ...left, faults: left.faults - 1 } }, by, rules, true)];
}

/** Chunks are of one. */
function demandBound({ got, lost, ambiguities }: World): void {
  if (copiesOf(got) > lost + ambiguities) throw new Error('more copies than the bound');
}

/** Copies of the same message that a phone had already. */
function copiesOf(got: World['got']): number {
  return got.reduce((sum, versions) => sum + versions.length - new Set(versions).size, 0);
}

function demandEnd({ alert, batches, got }: World): void {
  const open = batches.findIndex(({ state, results }) => state !== 'settled' || /[.~]/.test(results));
  if (open >= 0) throw new Error(`batch ${open} has no result for everyone`);
  for (const [phone, versions] of got.entries()) {
    if (versions.length > 0 && !versions.includes(alert.version))
      throw new Error(`phone ${phone} misses the newest message`);
  }
  const asked = batches.filter(({ asks }) => asks).flatMap(({ phones }) => phones);
  if (new Set(asked).size !== asked.length) throw new Error('a phone stands in two batches');
  const missed = asked.find((phone) => got[phone]?.length === 0);
  if (missed !== undefined && !alert.ended && !alert.stopped) throw new Error(`phone ${missed} was never asked`);
}

/**
 * What the future can depend on: not how often a row was written, but whether a worker still holds it; not every copy, but how many
 * more the bound allows. Two workers that hold the same are one state, whoever holds what.
 */
function keyOf(world: World): string {
  const { alert, batches, workers, got, doubted, lost, ambiguities, left } = world;
  const held = workers.map((one) => {
    if (!one) return '-';
    const mine = batches[one.batch]?.epoch === one.epoch && batches[one.batch]?.state === 'leased';
    const overtaken = one.alertEpoch !== alert.epoch;
    return [one.does, one.batch, mine, overtaken, one.onTheWire, one.version, one.results, one.todo, one.chunk].join(
      '/',
    );
  });
  const rows = batches.map(({ asks, passesHold, version, state, phones, results }) =>
    [asks, passesHold, version, state, phones.join(''), results].join(),
  );
  const versions = got.map((all) => [...new Set(all)].sort().join(''));
  const slack = lost + ambiguities - copiesOf(got);
  return [
    ...[alert.version, alert.held, alert.stopped, alert.ended, rows.join(';'), held.sort().join(';')],
    ...[versions.join(), doubted.map(Number).join(''), slack, Object.values(left).join('')],
  ].join('|');
}
