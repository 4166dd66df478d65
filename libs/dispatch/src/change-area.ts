import { type Area, coarsen, type LonLat } from '#geo';
import type { Alert } from './alert.entity.ts';
import type { ProposedChange } from './change.types.ts';

/** The centre of a circle is rounded to about 1 km, for it goes to everyone. */
export function publicArea(area: Area): Area {
  return area.kind === 'circle' ? { ...area, center: coarsen(area.center) } : area;
}

/** The area that a change makes of an alert's. A ring is drawn around the present circle's centre, or around where the child was last seen. */
export function areaOf(change: ProposedChange & { readonly kind: 'area' | 'ring' }, alert: Alert): Area {
  if (change.kind === 'area') return publicArea(change.area);
  const [lon, lat] = alert.origin.coordinates as [number, number];
  const center: LonLat = alert.area.kind === 'circle' ? alert.area.center : [lon, lat];
  return { kind: 'circle', center, radiusM: change.radiusM };
}
