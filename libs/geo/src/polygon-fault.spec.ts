import { describe, expect, it } from '@jest/globals';
import type { Polygon, Position } from 'geojson';
import { MAX_POSITIONS, polygonFault } from './polygon-fault.ts';

const square: Position[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
  [0, 0],
];
const polygon = (...coordinates: Position[][]): Polygon => ({ type: 'Polygon', coordinates });
const round = (positions: number): Position[] =>
  Array.from({ length: positions }, (_, i) => {
    const angle = (2 * Math.PI * (i % (positions - 1))) / (positions - 1);
    return [Math.cos(angle), Math.sin(angle)];
  });

describe('polygonFault', () => {
  it('finds none in a polygon, with a hole or an altitude', () => {
    expect(polygonFault(polygon(square))).toBeNull();
    expect(
      polygonFault(
        polygon(square, [
          [0.2, 0.2],
          [0.4, 0.2],
          [0.3, 0.4],
          [0.2, 0.2],
        ]),
      ),
    ).toBeNull();
    expect(polygonFault(polygon(square.map((position) => [...position, 12])))).toBeNull();
    expect(polygonFault({ type: 'MultiPolygon', coordinates: [[square], [round(20)]] })).toBeNull();
  });

  it('names an open ring, a hole’s too', () => {
    expect(polygonFault(polygon([...square.slice(0, 4), [0, 0.1]]))).toBe('ring_not_closed');
    expect(
      polygonFault(
        polygon(square, [
          [0.2, 0.2],
          [0.4, 0.2],
          [0.3, 0.4],
          [0.2, 0.3],
        ]),
      ),
    ).toBe('ring_not_closed');
  });

  it.each([
    ['no ring', polygon()],
    ['an empty ring', polygon([])],
    [
      'a line',
      polygon([
        [0, 0],
        [1, 1],
        [0, 0],
      ]),
    ],
    ['no part', { type: 'MultiPolygon' as const, coordinates: [] }],
    ['a part without a ring', { type: 'MultiPolygon' as const, coordinates: [[square], []] }],
  ])('names %s', (_, value) => {
    expect(polygonFault(value)).toBe('too_few_positions');
  });

  it.each<[Position]>([[[181, 0]], [[0, -91]], [[NaN, 0]], [[0, Infinity]], [[5]]])('names %j', (position) => {
    expect(polygonFault(polygon([[0, 0], position, [1, 1], [0, 0]]))).toBe('out_of_range');
  });

  it('counts the positions of all rings', () => {
    expect(polygonFault(polygon(round(MAX_POSITIONS)))).toBeNull();
    expect(polygonFault(polygon(round(MAX_POSITIONS + 1)))).toBe('too_many_positions');
    expect(polygonFault(polygon(round(MAX_POSITIONS - 4), square))).toBe('too_many_positions');
  });

  it('refuses a saw across the world', () => {
    const teeth = Array.from({ length: 600 }, (_, i): Position => [i / 4, i % 2 ? -40 : 40]);
    expect(polygonFault(polygon([...teeth, [0, -41], teeth[0] as Position]))).toBe('too_long');
  });
});
