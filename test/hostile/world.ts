import type { Role } from '#access';
import type { Owner } from './canary.ts';
import { Client } from './client.ts';
import { Services } from './services.ts';
import { agencyKey, type Caller, device, NOBODY, officer, replaceOfficer, signIn } from './staff.ts';
import { OtherThings } from './other-things.ts';
import {
  CASE_STATES,
  type CaseState,
  isCaseState,
  makeCase,
  type Makers,
  PLACES,
  type Thing,
  type ThingKind,
} from './things.ts';

type Agencies = Readonly<Record<Exclude<Owner, 'device'>, string>>;

/**
 * Agencies, officers and things to attack: `home` is the attackers', `parent` stands above it and `child` below, `foreign`
 * is a neighbour whose every private value must stay unseen, and `spare` is there to be used up.
 */
export interface World {
  readonly client: Client;
  readonly services: Services;
  readonly agencies: Agencies;
  readonly callers: ReadonlyMap<string, Caller>;
  caller(name: string): Caller;
  make(owner: Makers['owner'], kind: ThingKind): Promise<Thing>;
  close(): Promise<void>;
}

/** Every role that an agency's officers may have, one officer each; `desk` and `registrar` share theirs, for whoever makes a thing cannot decide on it. */
const STAFF: readonly (readonly [name: string, roles: readonly Role[]])[] = [
  ['liaison', ['liaison']],
  ['desk', ['liaison']],
  ['verifier', ['verifier']],
  ['analyst', ['analyst']],
  ['administrator', ['administrator']],
  ['registrar', ['administrator']],
];

/** Devices around each place, so that an alert there asks somebody. */
const NEIGHBOURS = 4;

export async function makeWorld(url: string, env: NodeJS.ProcessEnv): Promise<World> {
  const client = new Client(url);
  const services = await Services.open(env);
  const agencies = await makeAgencies(services);
  const callers = new Map<string, Caller>([['nobody', NOBODY]]);
  const keep = (caller: Caller) => callers.set(caller.name, caller);
  for (const owner of Object.keys(agencies) as (keyof Agencies)[]) {
    const reads: Owner[] =
      owner === 'parent' ? ['parent', 'home', 'child'] : owner === 'home' ? ['home', 'child'] : [owner];
    for (const [name, roles] of STAFF) {
      keep(
        await officer(services, client, { name: `${owner} ${name}`, owner, agencyId: agencies[owner], roles, reads }),
      );
    }
    keep(await agencyKey(services, owner, agencies[owner], `${owner} key`));
  }
  keep(await device(client, 'device', PLACES.home));
  for (const place of [PLACES.home, PLACES.foreign, PLACES.spare]) {
    for (let n = 0; n < NEIGHBOURS; n += 1) await device(client, 'a neighbour’s', place);
  }
  const others = new OtherThings(client, services);
  const caller = (name: string) => {
    const known = callers.get(name);
    if (!known) throw new Error(`nobody is called ${name}`);
    return known;
  };
  const makers = (owner: keyof Agencies): Makers => ({
    owner,
    liaison: caller(`${owner} liaison`),
    verifier: caller(`${owner} verifier`),
    administrator: caller(`${owner} registrar`),
    agencyId: agencies[owner],
    place: PLACES[owner],
  });
  return {
    ...{ client, services, agencies, callers, caller },
    make: (owner, kind) => {
      const by = makers(owner as keyof Agencies);
      return isCaseState(kind) ? makeCase(client, services, by, kind) : others.make(by, kind);
    },
    close: async () => {
      await client.close();
      await services.close();
    },
  };
}

async function makeAgencies(services: Services): Promise<Agencies> {
  const parent = await services.agency('Parent', PLACES.parent);
  const home = await services.agency('Home', PLACES.home, parent);
  const child = await services.agency('Child', PLACES.child, home, 0.2);
  const foreign = await services.agency('Foreign', PLACES.foreign);
  const spare = await services.agency('Spare', PLACES.spare);
  return { parent, home, child, foreign, spare };
}

/** Everyone signs in anew: sessions were lost to attacks, and the proof of who they are is older than acts that reach more allow. */
export async function renewSessions(world: World): Promise<void> {
  for (const caller of world.callers.values()) {
    if (caller.kind !== 'officer') continue;
    const agencyId = world.agencies[caller.owner as keyof Agencies];
    // An attack may have hit on a new password, too.
    await signIn(world.client, caller).catch(() => replaceOfficer(world.services, world.client, caller, agencyId));
  }
}

/** One thing of an agency in every state. */
export async function makeThings(world: World, owner: keyof Agencies): Promise<Readonly<Record<CaseState, Thing>>> {
  const made: [CaseState, Thing][] = [];
  for (const state of CASE_STATES) made.push([state, await world.make(owner, state)]);
  return Object.fromEntries(made) as Record<CaseState, Thing>;
}
