import type { Cap } from './cap.ts';
import type { Stretch } from './corridor.ts';

/** Where a cap lies: wholly inside an area, wholly outside, or somewhere it is not worth knowing more closely. */
export type Side = 'inside' | 'outside' | 'edge';

/**
 * An area as a cover asks it: where does this cap lie? 'inside' and 'outside' must be certain. For a cap that may hold
 * both inner and outer points the answer is the shape to ask about its children, which may know less of the area.
 * A new kind of area is a new shape.
 */
export interface Shape {
  (cap: Cap): Side | Shape;
  /** Of a corridor: all that a point in the cap last asked about has to be tested against. */
  readonly near?: readonly Stretch[];
}
