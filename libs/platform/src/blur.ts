import { Injectable } from '@nestjs/common';
import { Keys } from './keys.ts';

/** Below this a count could point at one of those counted. */
const FLOOR = 10;

/**
 * Counts as they may be told: none under 10, and else to about two significant digits and never finer than tens. What is rounded
 * up and what down is decided by a keyed digest of what is counted, so that asking again tells nothing new, and nobody can
 * steer a count to where one more or less would show.
 */
@Injectable()
export class Blur {
  constructor(private readonly keys: Keys) {}

  /**
   * @param what names what is counted; the same count of the same thing is always told alike
   * @returns null for fewer than 10
   */
  count(what: string, count: number): number | null {
    return count < FLOOR ? null : this.dithered(what, count, stepOf(count));
  }

  /** To tens, however few: for a sum of many. Right on average over what is counted. */
  part(what: string, count: number): number {
    return this.dithered(what, count, FLOOR);
  }

  private dithered(what: string, count: number, step: number): number {
    const offset = this.keys.mac('blur', what, 4).readUInt32BE() % step;
    return Math.floor((count + offset) / step) * step;
  }
}

/** A sum of parts: two significant digits, null for fewer than 10. */
export function blurredSum(sum: number): number | null {
  return sum < FLOOR ? null : Number(sum.toPrecision(2));
}

function stepOf(count: number): number {
  return Math.max(FLOOR, 10 ** (Math.floor(Math.log10(count)) - 1));
}
