import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { cellOf, coarsen, type LonLat } from '#geo';
import { type GroupCommit, GroupCommits } from '#platform';
import { type Move, PositionRepository } from './position.repository.ts';

/** Devices that one statement moves. */
const GROUP = 500;

/** Devices that may wait to be moved: about half a second of what one process stores. */
const WAITING = 5_000;

/** Where devices are: one place each, overwritten and never a trail. */
@Injectable()
export class Positions implements BeforeApplicationShutdown {
  private readonly moves: GroupCommit<Move, boolean>;

  constructor(positions: PositionRepository, commits: GroupCommits) {
    this.moves = commits.of({
      name: 'positions',
      write: (moves) => positions.update(moves),
      groupWeight: GROUP,
      waitingWeight: WAITING,
    });
  }

  /**
   * Overwrites where the device is that holds a secret, to about 1 km: a finer place is rounded before it is stored. WGS-84.
   * @param secretHash of the device's secret, in hex: it is proved by the statement that writes
   * @returns false when no device holds the secret
   * @throws Refusal `overloaded`
   */
  move(secretHash: string, place: LonLat): Promise<boolean> {
    const [lon, lat] = coarsen(place);
    return this.moves.add({ secretHash, cell: cellOf([lon, lat]), lon, lat });
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.moves.drain();
  }
}
