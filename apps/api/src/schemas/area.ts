import { z } from 'zod';
import type { Area } from '#geo';
import { pointView, wgs84Point } from './common.ts';

const string = z.array(z.array(z.number()));
const rings = z.array(string);

/** An area as we give it: as it is taken, in WGS-84. */
export const areaView = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('circle'), center: wgs84Point, radiusM: z.number() }),
  z.object({
    kind: z.literal('polygon'),
    polygon: z
      .discriminatedUnion('type', [
        z.object({ type: z.literal('Polygon'), coordinates: rings }),
        z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(rings) }),
      ])
      .describe('GeoJSON (RFC 7946).'),
  }),
  z.object({
    kind: z.literal('corridor'),
    line: z
      .discriminatedUnion('type', [
        z.object({ type: z.literal('LineString'), coordinates: string }),
        z.object({ type: z.literal('MultiLineString'), coordinates: z.array(string) }),
      ])
      .describe('GeoJSON (RFC 7946).'),
    withinM: z.number(),
  }),
]);

export function viewOfArea(area: Area): z.input<typeof areaView> {
  if (area.kind === 'circle') return { kind: 'circle', center: pointView(area.center), radiusM: area.radiusM };
  if (area.kind === 'corridor') {
    const { line, withinM } = area;
    return line.type === 'LineString'
      ? { kind: 'corridor', line: { type: 'LineString', coordinates: line.coordinates }, withinM }
      : { kind: 'corridor', line: { type: 'MultiLineString', coordinates: line.coordinates }, withinM };
  }
  const { polygon } = area;
  return polygon.type === 'Polygon'
    ? { kind: 'polygon', polygon: { type: 'Polygon', coordinates: polygon.coordinates } }
    : { kind: 'polygon', polygon: { type: 'MultiPolygon', coordinates: polygon.coordinates } };
}
