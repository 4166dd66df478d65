import type { Circle } from './area.ts';
import { geodesicBoundsM, HAVERSINE_ERROR } from './distance.ts';
import type { Shape } from './shape.ts';

/**
 * A cap this many times smaller than the doubt about its distance is left on the edge: looking closer could settle
 * little. It spares circles of near half the earth, where the bounds are loose, millions of cells.
 */
const DOUBT = 4;

/** A circle as a shape, by bounds on the geodesic distance of a cap's nearest and furthest point. */
export function circleShape({ center, radiusM }: Circle): Shape {
  const shape: Shape = (cap) => {
    const [low, high] = geodesicBoundsM(center, cap.center);
    const capM = cap.radiusM * (1 + HAVERSINE_ERROR);
    if (high + capM <= radiusM) return 'inside';
    if (low - capM > radiusM) return 'outside';
    return high - low > DOUBT * cap.radiusM ? 'edge' : shape;
  };
  return shape;
}
