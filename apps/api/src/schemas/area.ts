import { z } from 'zod';
import type { Area } from '#geo';
import { pointView, wgs84Point } from './common.ts';

const rings = z.array(z.array(z.array(z.number())));

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
]);

export function viewOfArea(area: Area): z.input<typeof areaView> {
  if (area.kind === 'circle') return { kind: 'circle', center: pointView(area.center), radiusM: area.radiusM };
  const { polygon } = area;
  return polygon.type === 'Polygon'
    ? { kind: 'polygon', polygon: { type: 'Polygon', coordinates: polygon.coordinates } }
    : { kind: 'polygon', polygon: { type: 'MultiPolygon', coordinates: polygon.coordinates } };
}
