import type { PartOfArea } from '#audience';
import { type Area, type CellRange, cover, type Cover, edgeIn, intersection, SAME_BITS, union } from '#geo';
import { DeviceSet } from './device-set.ts';
import type { Unasked } from './top-up.repository.ts';

/** A device and its cell, without {@link SAME_BITS}. */
export interface Placed {
  readonly deviceId: number;
  readonly cell: number;
}

/** Who is inside and not asked. */
export type LeftOut = Omit<Unasked, 'deviceIds'>;

/** What the process that tops up knows of a live alert by heart: all of it is learnt again from the database when lost. */
export class TopUpAlert {
  /** Whom its rings have asked, or were to ask. */
  readonly asked: DeviceSet;
  /** The last batch that {@link asked} knows of. */
  batchId: number;
  /** When its whole audience was last looked at, by the process's clock, in milliseconds; minus infinity for never. */
  lookedAt = -Infinity;
  /** What the books say since that look. */
  told: LeftOut | undefined;
  /** Those met since that look who do not want to be asked now. */
  withheld = new DeviceSet();
  private readonly covered: Cover;
  private readonly ends: readonly (readonly [lo: number, hi: number])[];

  /** @param before the same alert, of another area */
  constructor(
    readonly area: Area,
    before?: TopUpAlert,
  ) {
    this.asked = before?.asked ?? new DeviceSet();
    this.batchId = before?.batchId ?? 0;
    this.covered = cover(area);
    const bits = BigInt(SAME_BITS);
    this.ends = union(this.covered.whole, this.covered.edge).map(({ lo, hi }) => [
      Number(lo >> bits),
      Number(hi >> bits),
    ]);
  }

  looked(at: number): void {
    this.lookedAt = at;
    this.withheld = new DeviceSet();
  }

  get whole(): PartOfArea {
    return { kind: 'part', of: this.area, cover: this.covered };
  }

  /** Those who may be inside and were neither asked nor found unwilling. @param placed by cell */
  candidates(placed: readonly Placed[]): Placed[] {
    const found: Placed[] = [];
    for (const [lo, hi] of this.ends) {
      for (let at = firstFrom(placed, lo); at < placed.length; at++) {
        const one = placed[at] as Placed;
        if (one.cell > hi) break;
        if (!this.asked.has(one.deviceId) && !this.withheld.has(one.deviceId)) found.push(one);
      }
    }
    return found;
  }

  /** The area in these devices' cells. */
  around(placed: readonly Placed[]): PartOfArea {
    const bits = BigInt(SAME_BITS);
    const tail = (1n << bits) - 1n;
    const cells = [...new Set(placed.map(({ cell }) => cell))].sort((a, b) => a - b);
    const ranges = cells.map((cell): CellRange => ({
      lo: (BigInt(cell) << bits) + tail,
      hi: (BigInt(cell) << bits) + tail,
    }));
    const { whole, edge } = this.covered;
    return {
      kind: 'part',
      of: this.area,
      cover: { whole: intersection(whole, ranges), edge: edgeIn(ranges, edge) },
    };
  }
}

function firstFrom(placed: readonly Placed[], cell: number): number {
  let [from, to] = [0, placed.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((placed[middle] as Placed).cell < cell) from = middle + 1;
    else to = middle;
  }
  return from;
}
