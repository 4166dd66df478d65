import type { Client } from './client.ts';
import { canary } from './canary.ts';
import type { Services } from './services.ts';
import { officer } from './staff.ts';
import {
  type CaseState,
  makeCase,
  type Makers,
  noThing,
  submission,
  type Thing,
  type ThingKind,
  ThingMaker,
} from './things.ts';

/** Metres: an alert 2.6 degrees away reaches the whole of the agency that it asks. */
const WIDE_M = 400_000;
const ASIDE_DEG = 2.6;

/** Makes things that are no cases: officers, agencies, proposed roles and changes, acts for review, asks of a neighbour. */
export class OtherThings {
  private readonly client: Client;
  private readonly services: Services;
  private readonly askers = new Map<string, Promise<Makers>>();

  constructor(client: Client, services: Services) {
    this.client = client;
    this.services = services;
  }

  make(makers: Makers, kind: Exclude<ThingKind, CaseState>): Promise<Thing> {
    switch (kind) {
      case 'officer':
        return this.officer(makers);
      case 'agency':
        return this.agency(makers);
      case 'change':
        return this.change(makers);
      case 'grant':
        return this.grant(makers);
      case 'review':
        return this.review(makers);
      case 'ask':
        return this.ask(makers);
    }
  }

  private async officer({ owner, agencyId }: Makers): Promise<Thing> {
    const { id } = await this.services.officer(agencyId, ['analyst'], canary(owner, 'officer'));
    return { ...noThing(owner), id };
  }

  /** One below the makers' own, which nobody else needs. */
  private async agency({ owner, agencyId, place }: Makers): Promise<Thing> {
    return { ...noThing(owner), id: await this.services.agency('Below', place, agencyId, 0.01) };
  }

  private async change(makers: Makers): Promise<Thing> {
    const live = await makeCase(this.client, this.services, makers, 'live');
    const by = new ThingMaker(this.client, makers);
    const path = `/v1/alerts/${live.alertId}/changes`;
    const { id } = await by.ask<{ id: string }>(makers.liaison, 'POST', path, { kind: 'renew', hours: 48 }, 201);
    const { changes } = await by.ask<Changes>(makers.verifier, 'GET', path, undefined, 200);
    return { ...live, changeId: id, version: changes.find((each) => each.id === id)?.version ?? '' };
  }

  /** Proposed by the administrator who does nothing else, so that the others may confirm it. */
  private async grant(makers: Makers): Promise<Thing> {
    const { id } = await this.officer(makers);
    const by = new ThingMaker(this.client, makers);
    const roles = { roles: ['verifier'] };
    const { grantId } = await by.ask<{ grantId: string }>(
      makers.administrator,
      'PUT',
      `/v1/officers/${id}/roles`,
      roles,
      200,
    );
    return { ...noThing(makers.owner), id: grantId };
  }

  private async review({ owner, agencyId, liaison }: Makers): Promise<Thing> {
    const id = await this.services.review(agencyId, liaison.login?.id ?? '');
    return { ...noThing(owner), id };
  }

  /** An alert of an agency beside, which reaches over the whole of this one. */
  private async ask(makers: Makers): Promise<Thing> {
    const asker = await this.asker(makers);
    const by = new ThingMaker(this.client, asker);
    const filed = submission(asker, null, WIDE_M);
    const { id } = await by.ask<{ id: string }>(asker.liaison, 'POST', '/v1/cases', filed, 201);
    await by.ask(asker.liaison, 'POST', `/v1/cases/${id}/submit`, undefined, 204);
    const { version, alert } = await by.read(id);
    await by.ask(asker.verifier, 'POST', `/v1/cases/${id}/verify`, { version }, 200);
    const { asks } = await by.ask<Asks>(makers.verifier, 'GET', '/v1/asks', undefined, 200);
    const ask = asks.find((each) => each.alert.id === alert.id && each.agency.id === makers.agencyId);
    if (!ask) throw new Error(`${makers.owner} was not asked`);
    return { ...noThing(makers.owner), id: ask.id, version: ask.version };
  }

  private asker(makers: Makers): Promise<Makers> {
    const known = this.askers.get(makers.owner) ?? this.newAsker(makers);
    this.askers.set(makers.owner, known);
    return known;
  }

  /** Its private values stand for the spare agency's: nobody who is asked may see them. */
  private async newAsker({ place: [lon, lat], administrator }: Makers): Promise<Makers> {
    const place = [lon + ASIDE_DEG, lat] as const;
    const agencyId = await this.services.agency('Asker', place);
    const draft = { owner: 'spare' as const, agencyId, name: 'asker' };
    const liaison = await officer(this.services, this.client, { ...draft, roles: ['liaison'] });
    const verifier = await officer(this.services, this.client, { ...draft, roles: ['verifier'] });
    return { owner: 'spare', liaison, verifier, administrator, agencyId, place };
  }
}

interface Changes {
  readonly changes: readonly { readonly id: string; readonly version: string }[];
}

interface Asks {
  readonly asks: readonly {
    readonly id: string;
    readonly version: string;
    readonly agency: { readonly id: string };
    readonly alert: { readonly id: string };
  }[];
}
