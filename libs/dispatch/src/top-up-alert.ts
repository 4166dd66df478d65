import type { PartOfArea } from '#audience';
import { type Area, type CellRange, cover, type Cover, intersection, SAME_BITS, union } from '#geo';
import { DeviceSet } from './device-set.ts';

/** A device and its cell, without {@link SAME_BITS}. */
interface Placed {
  readonly deviceId: number;
  readonly cell: number;
}

/** What the process that tops up knows of a live alert by heart: all of it is learnt again from the database when lost. */
export class TopUpAlert {
  /** Whom its rings have asked, or were to ask. */
  asked = new DeviceSet();
  /** The last batch that {@link asked} knows of. */
  batchId = 0;
  /** Those met since the last whole look who do not want to be asked now. */
  readonly withheld = new DeviceSet();
  private readonly covered: Cover;
  private readonly ends: readonly (readonly [lo: number, hi: number])[];

  constructor(
    readonly area: Area,
    /** When its whole audience was last looked at, by the process's clock; milliseconds. */
    readonly lookedAt: number,
  ) {
    this.covered = cover(area);
    const bits = BigInt(SAME_BITS);
    this.ends = union(this.covered.whole, this.covered.edge).map(({ lo, hi }) => [
      Number(lo >> bits),
      Number(hi >> bits),
    ]);
  }

  /** Learns from an earlier look at the same alert whom it has asked. */
  takeOver({ asked, batchId }: TopUpAlert): void {
    this.asked = asked;
    this.batchId = batchId;
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
      cover: { whole: intersection(whole, ranges), edge: intersection(edge, ranges) },
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
