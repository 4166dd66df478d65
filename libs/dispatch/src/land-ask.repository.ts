import { Injectable } from '@nestjs/common';
import type { MultiPolygon } from 'geojson';
import type { EntityManager } from 'typeorm';
import type { Area } from '#geo';
import type { Instruction, Localised, Texts, Tier } from './alert.types.ts';
import type { LandState } from './land-states.ts';

/** An alert that waits for a neighbour's yes, as that neighbour may see it: nothing here comes from the private case. */
export interface LandAsk {
  readonly id: string;
  readonly state: LandState;
  /** Who is asked. */
  readonly agencyId: string;
  readonly agencyName: string;
  /** Who asks. */
  readonly byId: string;
  readonly byName: string;
  readonly createdAt: Date;
  /** The asked agency's land that the area meets, to about 500 m. */
  readonly land: MultiPolygon;
  /** Tells lands apart to the last bit. */
  readonly landDigest: string;
  readonly alertId: string;
  readonly slug: string;
  /** Live, neither over its time nor stopped: it can still ask somebody. */
  readonly live: boolean;
  readonly tier: Exclude<Tier, 'page_only'>;
  readonly area: Area;
  readonly place: Localised;
  readonly callNumber: string;
  readonly instruction: Instruction;
  readonly hasPhoto: boolean;
  readonly releasedAt: Date;
  readonly expiresAt: Date;
  /** The newest message. */
  readonly version: number;
  readonly texts: Texts;
  readonly messageAuthorId: string | null;
}

const LIVE = `(a.state = 'live' AND a.expires_at > now() AND a.stopped_at IS NULL)`;

/** Degrees: fine enough to see whose town it is, coarse enough for a list. */
const SHOWN_TO_DEGREES = 0.005;

const ASKS = `
  SELECT l.id, l.state, l.agency_id AS "agencyId", asked.name AS "agencyName", a.agency_id AS "byId", asking.name AS "byName",
    l.created_at AS "createdAt", encode(sha256(ST_AsBinary(l.land)), 'hex') AS "landDigest",
    ST_AsGeoJSON(ST_Multi(ST_SimplifyPreserveTopology(l.land, ${SHOWN_TO_DEGREES})), 4)::json AS land,
    a.id AS "alertId", a.slug, ${LIVE} AS live, a.tier, a.area, a.place, a.call_number AS "callNumber", a.instruction,
    EXISTS (SELECT FROM alert_photos p WHERE p.alert_id = a.id) AS "hasPhoto",
    a.released_at AS "releasedAt", a.expires_at AS "expiresAt",
    m.version, m.texts, m.author_id AS "messageAuthorId"
  FROM alert_lands l JOIN alerts a ON a.id = l.alert_id
    JOIN agencies asked ON asked.id = l.agency_id JOIN agencies asking ON asking.id = a.agency_id
    CROSS JOIN LATERAL (SELECT * FROM messages WHERE alert_id = a.id ORDER BY version DESC LIMIT 1) m`;

@Injectable()
export class LandAskRepository {
  /** Asks that can still be answered: those of `agencyId` before those of the agencies below it, newest first. */
  open(tx: EntityManager, agencyId: string, belowIds: readonly string[], limit: number): Promise<LandAsk[]> {
    return tx.query<LandAsk[]>(
      `${ASKS} WHERE (l.agency_id = $1 OR l.agency_id = ANY ($2::uuid[])) AND l.state IN ('asked', 'refused') AND ${LIVE}
       ORDER BY l.agency_id = $1 DESC, l.created_at DESC, l.id LIMIT $3`,
      [agencyId, belowIds, limit],
    );
  }

  /** Anything that was asked once; land that a policy opened or closed is no ask. */
  async find(tx: EntityManager, id: string): Promise<LandAsk | null> {
    const [ask] = await tx.query<LandAsk[]>(`${ASKS} WHERE l.id = $1 AND l.policy = 'ask'`, [id]);
    return ask ?? null;
  }

  /** The officers who wrote what was changed of an alert since its release. */
  async changeAuthors(tx: EntityManager, alertId: string): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT DISTINCT unnest(author_ids) AS id FROM alert_changes WHERE alert_id = $1 AND state = 'approved'`,
      [alertId],
    );
    return rows.map(({ id }) => id);
  }

  /** Every bit of an ask's land. */
  async landOf(tx: EntityManager, id: string): Promise<MultiPolygon> {
    const [row] = await tx.query<[{ land: MultiPolygon }]>(
      'SELECT ST_AsGeoJSON(land, 15)::json AS land FROM alert_lands WHERE id = $1',
      [id],
    );
    return row.land;
  }

  async decide(
    tx: EntityManager,
    id: string,
    state: LandState,
    officerId: string,
    reason: string | null,
  ): Promise<void> {
    await tx.query(
      `UPDATE alert_lands SET state = $2, decided_by = $3, decided_at = clock_timestamp(), reason = $4 WHERE id = $1`,
      [id, state, officerId, reason],
    );
  }
}
