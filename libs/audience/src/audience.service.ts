import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Area, polygonFault } from '#geo';
import { Refusal } from '#platform';
import type { AudienceRefusal } from './audience.errors.ts';
import { type AudienceQuery, AudienceRepository } from './audience.repository.ts';

/** Below this a count could point at one phone. */
const FLOOR = 10;

/** What an officer may know of an audience before it is asked: rounded, so that nobody locates a phone by subtraction. */
export interface AudiencePreview {
  /** Two significant digits; null stands for fewer than 10. */
  readonly reached: number | null;
  readonly withheld: number | null;
  /** Half of the positions are at most this old, in whole days. */
  readonly medianAgeDays: number | null;
}

@Injectable()
export class Audience {
  constructor(private readonly audience: AudienceRepository) {}

  async preview(query: AudienceQuery): Promise<AudiencePreview> {
    const { reached, withheld, medianAgeDays } = await this.audience.count(query);
    return {
      reached: blur(reached),
      withheld: blur(withheld),
      medianAgeDays: reached < FLOOR || medianAgeDays === null ? null : Math.ceil(medianAgeDays),
    };
  }

  /** @throws Refusal `area_invalid` for a polygon that no set of points can be taken from, saying why. */
  async demandSound(tx: EntityManager, area: Area): Promise<void> {
    if (area.kind !== 'polygon') return;
    const fault = polygonFault(area.polygon) ?? (await this.audience.polygonFault(tx, area.polygon));
    if (fault)
      throw new Refusal<AudienceRefusal>('area_invalid', `The area is not a sound polygon: ${fault}.`, { fault });
  }
}

/** Two significant digits; fewer than the floor is not told. */
function blur(count: number): number | null {
  return count < FLOOR ? null : Number(count.toPrecision(2));
}
