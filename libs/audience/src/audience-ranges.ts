import type { MultiPolygon } from 'geojson';
import {
  type Area,
  type CellRange,
  type Cover,
  coverInTurns,
  difference,
  edgeIn,
  type EdgeRange,
  intersection,
  union,
} from '#geo';

/** What of an area lies in some stored cells: `cover` is the part of the area's own in them. */
export interface PartOfArea {
  readonly kind: 'part';
  readonly of: Area;
  readonly cover: Cover;
}

/** Where an audience is looked for: an area or a part of one, or whole stored cells. */
export type Place = Area | PartOfArea | { readonly kind: 'cells'; readonly cells: readonly CellRange[] };

export async function coverOf(place: Place): Promise<Cover> {
  if (place.kind === 'part') return place.cover;
  return place.kind === 'cells' ? { whole: place.cells, edge: [] } : coverInTurns(place);
}

/** Land that decides over devices inside the area. An edge belongs to its land. */
export interface Lands {
  /** Nobody here is asked before another agency agrees. */
  readonly waiting?: MultiPolygon | null;
  /** Nobody here is asked at all: stronger than waiting. */
  readonly closed?: MultiPolygon | null;
  /** Nobody outside of this is in the audience. */
  readonly only?: MultiPolygon | null;
}

/** What land a device stands on, when it is a neighbour's. */
export type Elsewhere = 'waiting' | 'closed';

/** Cells whose every position is inside the area, on one land. */
interface CertainRange extends CellRange {
  readonly land: Elsewhere | null;
}

/** Cells whose positions are to be tested: against the area, against the lands, or both. */
interface DoubtfulRange extends EdgeRange {
  readonly area: boolean;
  readonly lands: boolean;
}

export interface AudienceRanges {
  readonly certain: readonly CertainRange[];
  readonly doubtful: readonly DoubtfulRange[];
}

/**
 * An area and the lands in it as ranges of cells, so that only positions in cells on some edge are tested themselves.
 * A position in a doubtful range is always to be tested against `only`.
 */
export async function audienceRanges(area: Place, { waiting, closed, only }: Lands): Promise<AudienceRanges> {
  const inside = await coverOf(area);
  const inOnly = await landCover(only);
  const isClosed = await landCover(closed);
  const isWaiting = await landCover(waiting);
  const whole = inOnly ? intersection(inside.whole, inOnly.whole) : inside.whole;
  const touched = inOnly ? intersection(touchedBy(inside), touchedBy(inOnly)) : touchedBy(inside);
  const land = union(touchedBy(isClosed), touchedBy(isWaiting));

  const free = difference(whole, land);
  const shut = intersection(whole, isClosed?.whole ?? []);
  const kept = difference(intersection(whole, isWaiting?.whole ?? []), touchedBy(isClosed));
  const certain = [labelled(free, null), labelled(shut, 'closed' as const), labelled(kept, 'waiting' as const)].flat();

  const doubt = difference(touched, union(free, union(shut, kept)));
  const [within, onEdge] = [intersection(doubt, inside.whole), difference(doubt, inside.whole)];
  const doubtful = [
    ...tested(intersection(within, land), { area: false, lands: true }),
    ...tested(difference(within, land), { area: false, lands: false }),
    ...tested(edgeIn(intersection(onEdge, land), inside.edge), { area: true, lands: true }),
    ...tested(edgeIn(difference(onEdge, land), inside.edge), { area: true, lands: false }),
  ];
  return { certain, doubtful };
}

async function landCover(land: MultiPolygon | null | undefined): Promise<Cover | null> {
  return land ? coverInTurns({ kind: 'polygon', polygon: land }) : null;
}

function touchedBy(covered: Cover | null): CellRange[] {
  return covered ? union(covered.whole, covered.edge) : [];
}

function labelled(ranges: readonly CellRange[], land: Elsewhere | null): CertainRange[] {
  return ranges.map((range) => ({ ...range, land }));
}

function tested(ranges: readonly EdgeRange[], tests: Omit<DoubtfulRange, keyof EdgeRange>): DoubtfulRange[] {
  return ranges.map((range) => ({ ...range, ...tests }));
}
