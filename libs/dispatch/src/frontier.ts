/** A push is sent at most so many bands before a nearer one of its wave that the same worker still has in hand. */
const BANDS_AHEAD = 2;

/**
 * How far out a worker's pushes of each wave may be: not far beyond the nearest batch that it has not finished, so that
 * nobody far away is asked while somebody near waits beside.
 */
export class Frontier {
  /** How many batches a worker has in hand, by wave and band. */
  private readonly inHand = new Map<number, Map<number, number>>();

  /** Takes a batch in hand. @returns what lets go of it, once */
  enter(waveId: number, band: number): () => void {
    const bands = this.inHand.get(waveId) ?? new Map<number, number>();
    this.inHand.set(waveId, bands);
    bands.set(band, (bands.get(band) ?? 0) + 1);
    return () => {
      const left = (bands.get(band) ?? 0) - 1;
      if (left > 0) bands.set(band, left);
      else bands.delete(band);
      if (bands.size === 0) this.inHand.delete(waveId);
    };
  }

  admits(waveId: number, band: number): boolean {
    const bands = this.inHand.get(waveId);
    return bands === undefined || band <= Math.min(...bands.keys()) + BANDS_AHEAD;
  }
}
