import fc from 'fast-check';
import { type Attack, attacksOn, type Ground, OVERSIZED_EVERY, oversizedAttack } from './attacks.ts';
import type { Owner } from './canary.ts';
import { Client, type Heard, type Sent } from './client.ts';
import { type Operation, operationsOf } from './document.ts';
import { PAGE_RULES, PAGES } from './pages.ts';
import { type Rule, RULES } from './rules.ts';
import { type Fault, type Finding, Scan } from './scan.ts';
import { smuggled } from './smuggling.ts';
import { type Caller, device as newDevice } from './staff.ts';
import { type CaseState, isCaseState, picture, PLACES, type Thing } from './things.ts';
import { makeThings, renewSessions, type World } from './world.ts';

export interface SiegeOptions {
  readonly requests: number;
  /** The same seed makes the same requests, but for the ids and secrets that a world is made with. */
  readonly seed: number;
  readonly publicUrl: string;
  /** What no answer may hold, by what it is. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly progress?: (done: number, report: Report) => void;
}

export interface Report {
  requests: number;
  /** Operations of the api and pages of the public. */
  routes: number;
  readonly faults: Record<Fault, number>;
  /** The first findings, each with the request that led to it. */
  readonly examples: { readonly finding: Finding; readonly route: string; readonly attack: string }[];
  /** How often each route answered with which status; 0 is a connection closed. */
  readonly statuses: Map<string, Map<number, number>>;
}

const BLOCK = 2_000;
const AT_ONCE = 24;
/** The api reads a few photos at a time and lets a few wait; more are refused, which is another test's matter. */
const PHOTOS_AT_ONCE = 4;
const EXAMPLES = 40;
/** Of so many requests one is bytes that are no request. */
const SMUGGLED_EVERY = 40;

/** A route and what is known of it. */
interface Target {
  readonly operation: Operation;
  readonly rule: Rule;
  readonly client: Client;
  /** Whether its refusals are problem documents. */
  readonly problems: boolean;
}

/** Attacks every route with mutated requests, and reads every answer for what it must not hold. */
export async function besiege(world: World, options: SiegeOptions): Promise<Report> {
  const pages = new Client(options.publicUrl);
  try {
    return await new Siege(world, options, await targetsOf(world, pages)).run();
  } finally {
    await pages.close();
  }
}

async function targetsOf(world: World, pages: Client): Promise<Target[]> {
  const operations = await operationsOf(world.client.url);
  const missing = operations.filter(({ name }) => !RULES[name]).map(({ name }) => name);
  if (missing.length > 0) throw new Error(`no rule in test/hostile/rules.ts for ${missing.join(', ')}`);
  return [
    ...operations.map((operation) => target(operation, RULES[operation.name] as Rule, world.client, true)),
    ...PAGES.map((operation) => target(operation, PAGE_RULES[operation.name] as Rule, pages, false)),
  ];
}

const target = (operation: Operation, rule: Rule, client: Client, problems: boolean): Target => ({
  ...{ operation, rule, client, problems },
});

/** The things that exist during one block. */
interface Stock {
  readonly by: Readonly<Record<'home' | 'foreign' | 'spare', Readonly<Record<CaseState, Thing>>>>;
  /** For the operations that move a case, or need what is none: each has one of its own. */
  readonly own: ReadonlyMap<string, Thing>;
  /** To be forgotten. */
  readonly device: Caller;
}

class Siege {
  private readonly scan = new Scan();
  private readonly report: Report;
  private readonly world: World;
  private readonly options: SiegeOptions;
  private readonly targets: readonly Target[];

  constructor(world: World, options: SiegeOptions, targets: readonly Target[]) {
    this.world = world;
    this.options = options;
    this.targets = targets;
    for (const [what, value] of Object.entries(options.secrets)) this.scan.secret(what, value);
    this.report = {
      requests: 0,
      routes: targets.length,
      faults: { fiveHundred: 0, crossAgencyRead: 0, leak: 0, malformed: 0 },
      examples: [],
      statuses: new Map(),
    };
  }

  async run(): Promise<Report> {
    const { requests, seed, progress } = this.options;
    for (let block = 0; this.report.requests < requests; block += 1) {
      const stock = await this.restock();
      const planned = await this.plan(stock, seed + block, Math.min(BLOCK, requests - this.report.requests));
      const uploads = planned.filter(([, { sent }]) => isUpload(sent));
      const others = planned.filter(([, { sent }]) => !isUpload(sent));
      const strike = ([aim, attack]: readonly [Target, Attack]) => this.strike(aim, attack);
      await Promise.all([inParallel(others, AT_ONCE, strike), inParallel(uploads, PHOTOS_AT_ONCE, strike)]);
      progress?.(this.report.requests, this.report);
    }
    return this.report;
  }

  /** New things in every state, for the attacks before have used up some of the last. */
  private async restock(): Promise<Stock> {
    await renewSessions(this.world);
    const owners = ['home', 'foreign', 'spare'] as const;
    const made: [(typeof owners)[number], Stock['by']['home']][] = [];
    await inParallel(owners, 2, async (owner) => void made.push([owner, await makeThings(this.world, owner)]));
    for (const [owner, things] of made) {
      for (const thing of Object.values(things)) this.scan.thing(thing);
      await this.learnPictures(owner, things.live);
    }
    const device = await newDevice(this.world.client, 'spare device', PLACES.spare);
    return { by: Object.fromEntries(made) as unknown as Stock['by'], own: new Map(await this.movables()), device };
  }

  private async movables(): Promise<[string, Thing][]> {
    const made: [string, Thing][] = [];
    await inParallel(
      this.targets.filter(({ rule }) => rule.moves || (rule.on !== undefined && !isCaseState(rule.on))),
      PHOTOS_AT_ONCE,
      async ({ operation: { name }, rule }) => {
        made.push([name, await this.world.make(rule.spends ? 'spare' : 'home', rule.on ?? 'live')]);
      },
    );
    return made;
  }

  private async learnPictures(owner: string, { caseId, photoId, sightingId }: Thing): Promise<void> {
    const { credential } = this.world.caller(`${owner} liaison`);
    for (const path of [`/v1/cases/${caseId}/photos/${photoId}`, `/v1/cases/${caseId}/sightings/${sightingId}/photo`]) {
      const { status, body } = await this.world.client.send({ method: 'GET', path, headers: credential });
      if (status !== 200) throw new Error(`the picture at ${path} is not to be had: ${status}`);
      // A live alert publishes its photo, not the tip's.
      if (path.includes('sightings')) this.scan.picture(owner, body);
    }
  }

  private async plan(stock: Stock, seed: number, count: number): Promise<(readonly [Target, Attack])[]> {
    const share = Math.ceil(count / this.targets.length);
    const upload = await picture();
    const perTarget = this.targets.map((aim, n) => {
      const attacks = fc.sample(attacksOn(this.ground(aim, stock, upload)), { seed: seed * 1_009 + n, numRuns: share });
      return attacks.map((attack, each) => [aim, this.now(aim, attack, seed + n * 7 + each)] as const);
    });
    const turns = Array.from({ length: share }, (_, each) => perTarget.map((attacks) => attacks[each]!));
    return turns.flat().slice(0, count);
  }

  /** Now and then something else than what was drawn. */
  private now(aim: Target, attack: Attack, n: number): Attack {
    if (n % SMUGGLED_EVERY === 0) return { ...attack, sent: smuggled(n / SMUGGLED_EVERY, attack.sent.path) };
    return n % OVERSIZED_EVERY === 1 && aim.operation.bodies.size > 0 ? oversizedAttack(attack, n) : attack;
  }

  private ground({ operation, rule }: Target, stock: Stock, upload: Buffer): Ground {
    const side = rule.spends ? 'spare' : 'home';
    const all = [...this.world.callers.values()];
    const spare = [...all.filter(({ owner, kind }) => owner === 'spare' || kind === 'nobody'), stock.device];
    const callers = rule.spends ? spare : all;
    return {
      ...{ operation, rule, callers, picture: upload },
      friends: callers
        .filter((caller) => caller.owner === side || caller.kind !== 'officer')
        .filter((each) => isFriend(rule, each)),
      own: [stock.own.get(operation.name) ?? stock.by[side][rule.on && isCaseState(rule.on) ? rule.on : 'live']],
      things: [...stock.own.values(), ...Object.values(stock.by).flatMap((things) => Object.values(things))],
    };
  }

  private async strike({ operation, client, problems }: Target, { caller, sent }: Attack): Promise<void> {
    const heard = await client.send(sent);
    this.report.requests += 1;
    this.count(operation.name, heard);
    for (const finding of this.scan.findings(this.readsOf(caller, sent), sent, heard, problems)) {
      this.report.faults[finding.fault] += 1;
      if (this.report.examples.length >= EXAMPLES) continue;
      const attack = `${caller.name}: ${sent.method} ${sent.path} ${JSON.stringify(sent.headers)} ${String(sent.bytes ?? sent.body ?? '').slice(0, 1_000)}`;
      this.report.examples.push({ finding, route: operation.name, attack });
    }
  }

  /** A request may bring somebody else's credential: then it may be told what they are. */
  private readsOf(caller: Caller, { headers }: Sent): Owner[] {
    const brought = Object.values(headers);
    const holders = [...this.world.callers.values()].filter(({ credential }) =>
      Object.values(credential).some((secret) => brought.some((value) => value.includes(secret))),
    );
    return [caller, ...holders].flatMap(({ reads }) => reads);
  }

  private count(route: string, { status }: Heard): void {
    const statuses = this.report.statuses.get(route) ?? new Map<number, number>();
    this.report.statuses.set(route, statuses.set(status, (statuses.get(status) ?? 0) + 1));
  }
}

const isUpload = ({ headers }: Sent) => headers['content-type']?.startsWith('multipart/') ?? false;

/** Whether a caller may do an operation to a thing of their own agency. */
function isFriend(rule: Rule, { kind, roles }: Caller): boolean {
  if (rule.by === 'public') return true;
  if (rule.by === 'devices') return kind === 'device';
  if (rule.by === 'agency_keys') return kind === 'agency_key';
  return kind === 'officer' && (rule.roles === undefined || roles.some((role) => rule.roles?.includes(role)));
}

/** Does work on every item, so many at a time. */
async function inParallel<Item>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
