import type { Cap } from './cap.ts';
import { NEST } from './cell.ts';
import { type Corridor, lineOf, type Stretch, stretchesOf, vertexOf } from './corridor.ts';
import { geodesicBoundsM, HAVERSINE_ERROR } from './distance.ts';
import type { Shape } from './shape.ts';

/** Vertices that are kept or left together. */
const BUNCH = 32;

/**
 * A corridor as a shape: the stretches of its line that matter to a cap are halved until they are short against it, and only
 * those near enough to matter are left to its children. So work grows with the corridor's edge.
 */
export function corridorShape(corridor: Corridor): Shape {
  const line = lineOf(corridor);
  return nearTo(stretchesOf(line), []);

  function nearTo(stretches: readonly Stretch[], near: readonly Stretch[]): Shape {
    return Object.assign((cap: Cap) => sideOf(cap, stretches), { near });
  }

  function sideOf(cap: Cap, stretches: readonly Stretch[]): 'inside' | 'outside' | Shape {
    const capM = cap.radiusM * (1 + HAVERSINE_ERROR);
    const kept: Stretch[] = [];
    const near: { readonly gapM: number; readonly stretch: Stretch }[] = [];
    const pending = [...stretches].reverse();
    for (let stretch = pending.pop(); stretch; stretch = pending.pop()) {
      const { edge, from, to } = stretch;
      const middle = (from + to) >> 1;
      const reachM = (to - middle) * line.stepM;
      const [low, high] = geodesicBoundsM(vertexOf(line, edge, middle), cap.center);
      if (high + capM <= corridor.withinM) return 'inside';
      const gapM = low - reachM - corridor.withinM;
      if (gapM > capM * NEST) continue;
      if (to - from >= BUNCH && reachM > cap.radiusM / 8) {
        pending.push({ edge, from: middle + 1, to }, { edge, from, to: middle });
        continue;
      }
      kept.push(stretch);
      if (gapM <= capM) near.push({ gapM, stretch });
    }
    if (near.length === 0) return 'outside';
    // Nearest first: most points that are inside are so by one of the first.
    near.sort((a, b) => a.gapM - b.gapM);
    return nearTo(kept, near.map(({ stretch }) => stretch)); // prettier-ignore
  }
}
