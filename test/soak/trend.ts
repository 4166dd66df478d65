import { quantile } from '../../bench/rounds.ts';

/** One value at one time, milliseconds. */
export interface Reading {
  readonly at: number;
  readonly value: number;
}

export interface Trend {
  /** Of the middle third of the time. */
  readonly middle: number;
  /** Of the last third. */
  readonly last: number;
  readonly grown: number;
}

/** Fewer readings in a third say nothing. */
const ENOUGH = 6;

/**
 * Compares the last third of a run with its middle third; the first third is the warm-up, in which pools, caches and compiled code fill.
 *
 * A quantile and no mean or fitted line: memory is a saw that the garbage collector cuts, and an alert is a peak. A few peaks, wherever
 * they fall, move a mean and a slope and leave a median where it was; what leaks lifts every reading, and so the median. Thirds
 * and no single readings at the ends: each holds many alerts, so that big and small ones weigh alike on both sides.
 *
 * @param share the quantile: 0.5 for the median; less for the floor of a saw, e.g. what is left of a heap after a collection
 * @returns null where there are too few readings to tell
 */
export function trendOf(readings: readonly Reading[], share = 0.5): Trend | null {
  const times = readings.map(({ at }) => at);
  const [began, ended] = [Math.min(...times), Math.max(...times)];
  const third = (ended - began) / 3;
  const within = (from: number, until: number) =>
    readings.filter(({ at }) => at >= from && at < until).map(({ value }) => value);
  const middle = within(began + third, began + 2 * third);
  const last = within(began + 2 * third, Infinity);
  if (middle.length < ENOUGH || last.length < ENOUGH) return null;
  const [before, after] = [quantile(middle, share), quantile(last, share)];
  return { middle: before, last: after, grown: after - before };
}

/** How much may be grown: a share of what it was, and in any case a few units, for small things are counted in whole ones. */
export interface Allowance {
  readonly share: number;
  readonly units: number;
}

export function isFlat({ middle, grown }: Trend, { share, units }: Allowance): boolean {
  return grown <= Math.max(middle * share, units);
}

/** The most by which something that only grows has grown within so many milliseconds, of all readings that lie so close together. */
export function risenWithin(readings: readonly Reading[], ms: number): number {
  let first = 0;
  let most = 0;
  for (const { at, value } of readings) {
    while (at - (readings[first] as Reading).at > ms) first++;
    most = Math.max(most, value - (readings[first] as Reading).value);
  }
  return most;
}
