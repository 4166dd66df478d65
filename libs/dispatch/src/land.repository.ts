import { Injectable } from '@nestjs/common';
import type { Geometry, MultiPolygon } from 'geojson';
import { DataSource, type EntityManager } from 'typeorm';
import type { NeighbourPolicy } from '#access';
import type { Lands as LandsLeftOut } from '#audience';
import { type Area, outline } from '#geo';
import { LAND_STATES, type LandState, metState } from './land-states.ts';

/** Another agency whose land an alert's area meets. */
export interface Neighbour {
  readonly agencyId: string;
  readonly name: string;
  readonly policy: NeighbourPolicy;
  /** Null while nothing is released: then nobody was asked. */
  readonly state: LandState | null;
}

/** Degrees around a polygon within which land belongs to it: about 1 km, so that no rounding cuts off its edge. */
const RIM_DEGREES = 0.01;

/** Lines between two maps of one border do not meet to the last bit: what is left between them is no land. About 1 m². */
const SLIVER_DEGREES2 = 1e-10;

/** A great circle leaves a straight line this long, in degrees, by less than {@link NEAR_M}. */
const STEP_DEGREES = 0.05;
const NEAR_M = 50;

const NOTHING = `ST_GeomFromText('MULTIPOLYGON EMPTY', 4326)`;

/**
 * Rows `met (id, name, policy, shape)`: the agencies but `$1`, those above and those below it, with their land near the
 * area (outline `$2`): their jurisdiction without that of `$1` and those below it, and without that of agencies below
 * themselves, for the deepest agency governs. Only land that the area itself meets with more than an edge: within `$4` metres of
 * the spine `$3`, a circle's centre or a corridor's line, else in the outline.
 */
const MET = `
  RECURSIVE clip AS (
    SELECT CASE WHEN $4::float8 IS NULL THEN ST_Buffer(given, ${RIM_DEGREES}) ELSE wrapped END AS shape, wrapped AS exact,
      ST_Segmentize(ST_SetSRID(ST_GeomFromGeoJSON($3::text), 4326), ${STEP_DEGREES})::geography AS spine
    FROM (SELECT ST_UnaryUnion(ST_SetSRID(ST_GeomFromGeoJSON($2::text), 4326)) AS given) outline,
      LATERAL (SELECT ST_WrapX(ST_WrapX(given, 180, -360), -180, 360) AS wrapped) cut
  ), above AS (
    SELECT id, parent_id FROM agencies WHERE id = $1
    UNION SELECT a.id, a.parent_id FROM agencies a JOIN above ON a.id = above.parent_id
  ), below AS (
    SELECT id FROM agencies WHERE id = $1
    UNION SELECT a.id FROM agencies a JOIN below ON a.parent_id = below.id
  ), own AS MATERIALIZED (
    SELECT ST_Union(ST_Intersection(a.jurisdiction, clip.shape)) AS shape
    FROM below JOIN agencies a USING (id), clip WHERE ST_Intersects(a.jurisdiction, clip.shape)
  ), near AS (
    SELECT a.id, a.name, a.neighbour_policy AS policy, ST_Intersection(a.jurisdiction, clip.shape) AS shape
    FROM agencies a, clip WHERE ST_Intersects(a.jurisdiction, clip.shape)
      AND a.id NOT IN (SELECT id FROM above UNION ALL SELECT id FROM below)
  ), deeper AS (
    SELECT near.id AS top, a.id FROM near JOIN agencies a ON a.parent_id = near.id
    UNION SELECT deeper.top, a.id FROM deeper JOIN agencies a ON a.parent_id = deeper.id
  ), others AS MATERIALIZED (
    SELECT deeper.top, ST_Union(near.shape) AS shape FROM deeper JOIN near USING (id) GROUP BY deeper.top
  ), land AS MATERIALIZED (
    SELECT near.id, near.name, near.policy, ${left('near.shape', 'own.shape', 'others.shape')} AS shape
    FROM near CROSS JOIN own LEFT JOIN others ON others.top = near.id
  ), met AS (
    SELECT land.* FROM land, clip WHERE ST_Area(land.shape) > ${SLIVER_DEGREES2} AND CASE
      WHEN $4::float8 IS NULL THEN ST_Relate(land.shape, clip.exact, 'T********')
      -- One corner tells of most; only land at the area's rim takes a look at all of it.
      WHEN ${within('ST_StartPoint(ST_ExteriorRing(ST_GeometryN(land.shape, 1)))', '$4')} THEN true
      ELSE ${within(`ST_Segmentize(land.shape, ${STEP_DEGREES})`, `$4 + ${NEAR_M}`)}
    END
  )`;

function within(shape: string, metres: string): string {
  return `ST_DWithin((${shape})::geography, clip.spine, ${metres})`;
}

/** Polygons of `shape` without the others, which may be null. */
function left(shape: string, ...others: string[]): string {
  const rest = others.reduce((kept, other) => `ST_Difference(${kept}, coalesce(${other}, ${NOTHING}))`, shape);
  return polygons(rest);
}

function polygons(shape: string): string {
  return `ST_Multi(ST_CollectionExtract(ST_MakeValid(${shape}), 3))`;
}

/** Fifteen decimals are every bit of a longitude. */
const json = (shape: string) => `ST_AsGeoJSON(${shape}, 15)::json`;

/** The states of {@link metState} by policy, as SQL. */
const MET_STATE = `CASE policy WHEN 'accept' THEN '${metState('accept')}' WHEN 'ask' THEN '${metState('ask')}' ELSE '${metState('never')}' END`;

/** The lands of an alert, and who may be asked there. */
@Injectable()
export class LandRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The neighbours whom an area of an agency would meet, by name, and the land that their policies would leave out. */
  async foresee(
    agencyId: string,
    area: Area,
    tx: EntityManager = this.dataSource.manager,
  ): Promise<{ neighbours: Neighbour[]; leftOut: LandsLeftOut | undefined }> {
    const rows = await tx.query<
      { policy: NeighbourPolicy; agencies: { id: string; name: string }[]; land: MultiPolygon }[]
    >(
      `WITH ${MET}
       SELECT policy, json_agg(json_build_object('id', id, 'name', name) ORDER BY name) AS agencies,
         ${json('ST_Multi(ST_Union(shape))')} AS land
       FROM met GROUP BY policy ORDER BY policy`,
      given(agencyId, area),
    );
    const neighbours = rows.flatMap(({ policy, agencies }) =>
      agencies.map(({ id, name }): Neighbour => ({ agencyId: id, name, policy, state: null })),
    );
    const landOf = (policy: NeighbourPolicy) => rows.find((row) => row.policy === policy)?.land ?? null;
    return { neighbours, leftOut: leftOut(landOf('ask'), landOf('never')) };
  }

  /**
   * Records the land that an alert's area meets for the first time: what was met before stays as it stands.
   * @returns the agencies that are asked by it
   */
  async meet(tx: EntityManager, alertId: string, agencyId: string, area: Area): Promise<string[]> {
    const rows = await tx.query<{ agency_id: string }[]>(
      `WITH ${MET}, new AS MATERIALIZED (
         SELECT met.id, met.policy, ${left('met.shape', 'known.shape')} AS shape
         FROM met LEFT JOIN LATERAL (
           SELECT ST_Union(land) AS shape FROM alert_lands WHERE alert_id = $5 AND agency_id = met.id
         ) known ON true
       ), stored AS (
         INSERT INTO alert_lands (id, alert_id, agency_id, policy, state, land)
         SELECT gen_random_uuid(), $5, id, policy, ${MET_STATE}, shape FROM new
         WHERE ST_Area(shape) > ${SLIVER_DEGREES2}
         ON CONFLICT (alert_id, agency_id, state) WHERE state IN ('accepted', 'asked', 'never')
         DO UPDATE SET land = ${polygons('ST_Union(alert_lands.land, excluded.land)')}
         RETURNING agency_id, state
       )
       SELECT agency_id FROM stored WHERE state = 'asked' ORDER BY agency_id`,
      [...given(agencyId, area), alertId],
    );
    return rows.map((row) => row.agency_id);
  }

  /** The land that leaves an alert's audience out now; undefined when nobody's does. */
  async leftOut(alertId: string, tx: EntityManager = this.dataSource.manager): Promise<LandsLeftOut | undefined> {
    const [row] = await tx.query<[{ waiting: MultiPolygon | null; closed: MultiPolygon | null }]>(
      `SELECT ${json(`ST_Multi(ST_Union(land) FILTER (WHERE state = 'asked'))`)} AS waiting,
         ${json(`ST_Multi(ST_Union(land) FILTER (WHERE state IN ('refused', 'never')))`)} AS closed
       FROM alert_lands WHERE alert_id = $1`,
      [alertId],
    );
    return leftOut(row.waiting, row.closed);
  }

  /** The neighbours that an alert has met, by name. */
  ofAlert(alertId: string, tx: EntityManager = this.dataSource.manager): Promise<Neighbour[]> {
    return tx.query<Neighbour[]>(
      `SELECT l.agency_id AS "agencyId", a.name, l.policy, l.state FROM alert_lands l JOIN agencies a ON a.id = l.agency_id
       WHERE l.alert_id = $1 ORDER BY a.name, array_position($2::text[], l.state), l.created_at`,
      [alertId, LAND_STATES],
    );
  }
}

function leftOut(waiting: MultiPolygon | null, closed: MultiPolygon | null): LandsLeftOut | undefined {
  return waiting || closed ? { waiting, closed } : undefined;
}

function given(agencyId: string, area: Area): unknown[] {
  const [spine, metres] = spineOf(area);
  return [agencyId, JSON.stringify(outline(area)), spine && JSON.stringify(spine), metres];
}

/** What a circle's or a corridor's points are measured from, and how far they may be from it. */
function spineOf(area: Area): [spine: Geometry | null, metres: number | null] {
  if (area.kind === 'circle') return [{ type: 'Point', coordinates: [...area.center] }, area.radiusM];
  return area.kind === 'corridor' ? [area.line, area.withinM] : [null, null];
}
