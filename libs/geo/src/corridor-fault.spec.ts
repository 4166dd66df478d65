import { describe, expect, it } from '@jest/globals';
import type { Position } from 'geojson';
import { corridorFault } from './corridor-fault.ts';
import type { Corridor } from './corridor.ts';
import { MAX_POSITIONS } from './polygon-fault.ts';

const along = (coordinates: Position[], withinM = 2_000): Corridor => ({
  kind: 'corridor',
  line: { type: 'LineString', coordinates },
  withinM,
});
const road: Position[] = [[114, 22.5], [114.1, 22.6]]; // prettier-ignore

describe('corridorFault', () => {
  it('finds none in a road, one cut at the antimeridian, or one that doubles back', () => {
    expect(corridorFault(along(road))).toBeNull();
    expect(corridorFault(along([...road, ...road, ...road]))).toBeNull();
    const cut = [[[179.9, -17], [180, -17]], [[-180, -17], [-179.9, -17]]]; // prettier-ignore
    expect(corridorFault({ ...along([]), line: { type: 'MultiLineString', coordinates: cut } })).toBeNull();
  });

  it.each<[ReturnType<typeof corridorFault>, Corridor]>([
    ['width_out_of_range', along(road, 499)],
    ['width_out_of_range', along(road, 100_001)],
    ['width_out_of_range', along(road, NaN)],
    ['too_few_positions', along(road.slice(1))],
    ['too_few_positions', { ...along([]), line: { type: 'MultiLineString', coordinates: [] } }],
    ['too_many_positions', along(Array.from({ length: MAX_POSITIONS + 1 }, () => [114, 22.5]))],
    ['out_of_range', along([...road, [114, 91]])],
    ['out_of_range', along([...road, [114]])],
    ['over_antimeridian', along([[179.9, -17], [-179.9, -17]])], // prettier-ignore
    ['too_long', along([[80, 40], [120, 40]])], // prettier-ignore
  ])('names %s', (fault, corridor) => {
    expect(corridorFault(corridor)).toBe(fault);
  });
});
