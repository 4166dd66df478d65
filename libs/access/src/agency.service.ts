import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { MultiPolygon, Polygon } from 'geojson';
import { DataSource, type EntityManager } from 'typeorm';
import type { LonLat } from '#geo';
import { Refusal, Zones } from '#platform';
import type { AccessRefusal } from './access.errors.ts';
import type { Actor } from './actor.ts';
import type { Agency, NeighbourPolicy } from './agency.entity.ts';
import { AgencyRepository } from './agency.repository.ts';
import { authorize } from './can.ts';
import { SessionRepository } from './session.repository.ts';
import { unlessTaken } from './violation.ts';

export interface AgencyDraft {
  readonly name: string;
  readonly parentId?: string | undefined;
  /** WGS-84, longitude first, edges straight in degrees (RFC 7946). */
  readonly jurisdiction: Polygon | MultiPolygon;
  /** IANA time zone, e.g. `Asia/Shanghai`. */
  readonly zone: string;
  /** What the public is told to call: `+`, digits and spaces. */
  readonly callNumber: string;
  /** `ask` when left out. */
  readonly neighbourPolicy?: NeighbourPolicy | undefined;
  /** 90 when left out. */
  readonly retentionDays?: number | undefined;
}

/** What of an agency may change; what is left out stays. */
export type AgencySettings = Pick<AgencyDraft, 'neighbourPolicy' | 'retentionDays'>;

/** Emergency numbers have three digits, international ones at most fifteen (ITU-T E.164 §6). */
const CALL_NUMBER = /^\+?\d(?:[ -]?\d){2,14}$/;

@Injectable()
export class Agencies {
  constructor(
    private readonly dataSource: DataSource,
    private readonly agencies: AgencyRepository,
    private readonly sessions: SessionRepository,
    private readonly zones: Zones,
  ) {}

  /**
   * @returns the new agency's id.
   * @throws Refusal `zone_unknown`, `call_number_invalid`, `jurisdiction_invalid`, `agency_not_found` (the parent) or
   *   `agency_name_taken`.
   */
  async create(tx: EntityManager, draft: AgencyDraft): Promise<string> {
    if (!(await this.zones.isKnown(draft.zone))) throw zoneUnknown();
    assertCallNumber(draft.callNumber);
    const parentId = draft.parentId ?? null;
    if (parentId !== null) await this.agencyById(parentId, tx);
    const jurisdiction = toMultiPolygon(draft.jurisdiction);
    const fault = await this.agencies.faultOf(tx, jurisdiction);
    if (fault !== null) throw refuse('jurisdiction_invalid', `The jurisdiction is not a usable polygon: ${fault}.`);
    const { name, zone, callNumber, neighbourPolicy = 'ask', retentionDays = 90 } = draft;
    const id = randomUUID();
    const stored = this.agencies.insert(tx, {
      ...{ id, name, parentId, jurisdiction, zone, callNumber },
      ...{ neighbourPolicy, retentionDays },
    });
    await unlessTaken(stored, refuse('agency_name_taken', 'Another agency has this name.'));
    return id;
  }

  /** @throws Refusal `agency_not_found`. The answer leaves the jurisdiction out. */
  async agencyById(id: string, tx: EntityManager = this.dataSource.manager): Promise<Agency> {
    const agency = await this.agencies.find(tx, id);
    if (!agency) throw agencyNotFound();
    return agency;
  }

  /** @throws Refusal `agency_not_found` */
  async set(tx: EntityManager, id: string, settings: AgencySettings): Promise<void> {
    await this.agencyById(id, tx);
    await this.agencies.set(tx, id, settings);
  }

  /** Every agency, by name. */
  list(): Promise<Agency[]> {
    return this.agencies.list(this.dataSource.manager);
  }

  /**
   * Loads an agency for an act, holding its row until the transaction ends.
   * @throws Refusal `agency_not_found` (also for one out of the actor's reach), `forbidden`, `step_up_required`
   */
  async lock(tx: EntityManager, actor: Actor, action: 'agency.freeze' | 'agency.thaw', id: string): Promise<Agency> {
    const agency = await this.agencies.lock(tx, id);
    if (!agency) throw agencyNotFound();
    authorize(actor, action, { agencyId: id, authorIds: [] }, agencyNotFound());
    return agency;
  }

  /**
   * Shuts an agency's officers and keys out with `tx`, until a {@link thaw}; again is no fault. Authority is for
   * {@link lock}, and its live alerts are for dispatch.
   */
  async freeze(tx: EntityManager, id: string): Promise<void> {
    await this.agencies.freeze(tx, id);
    await this.sessions.revokeAgency(tx, id);
  }

  /** Lets a frozen agency's officers and keys in again; they must sign in anew. */
  async thaw(tx: EntityManager, id: string): Promise<void> {
    await this.agencies.thaw(tx, id);
  }

  /** Whether the agency may act on what happened at `point`; its edge counts as inside. False for an unknown agency. */
  inJurisdiction(agencyId: string, point: LonLat, tx: EntityManager = this.dataSource.manager): Promise<boolean> {
    return this.agencies.covers(tx, agencyId, point);
  }
}

function refuse(code: AccessRefusal, detail: string): Refusal {
  return new Refusal<AccessRefusal>(code, detail);
}

function agencyNotFound(): Refusal {
  return refuse('agency_not_found', 'There is no such agency.');
}

function toMultiPolygon(shape: Polygon | MultiPolygon): MultiPolygon {
  return shape.type === 'MultiPolygon' ? shape : { type: 'MultiPolygon', coordinates: [shape.coordinates] };
}

function zoneUnknown(): Refusal {
  return refuse('zone_unknown', 'The time zone is not an IANA name such as Asia/Shanghai.');
}

function assertCallNumber(callNumber: string): void {
  if (CALL_NUMBER.test(callNumber)) return;
  throw refuse('call_number_invalid', 'A call number has three to fifteen digits, e.g. 110 or +86 755 1234 5678.');
}
