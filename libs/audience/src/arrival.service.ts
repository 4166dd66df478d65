import { Injectable } from '@nestjs/common';
import { type Arrival, ArrivalRepository } from './arrival.repository.ts';

/**
 * Which devices have come to another place since somebody last asked: ids and nothing else, noted only while somebody wants
 * them, and gone with the asking. Where from is not kept, and where to is the device's one position.
 */
@Injectable()
export class Arrivals {
  constructor(private readonly arrivals: ArrivalRepository) {}

  /** Has them noted for so many seconds more. */
  want(seconds: number): Promise<void> {
    return this.arrivals.want(seconds);
  }

  /** Those noted since the last call, in the order of their cells. */
  async take(): Promise<Arrival[]> {
    const ids = await this.arrivals.take();
    return ids.length > 0 ? this.arrivals.placed(ids) : [];
  }

  /** Forgets what was noted. */
  async forget(): Promise<void> {
    await this.arrivals.take();
  }
}
