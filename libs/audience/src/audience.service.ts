import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type Area, areaFault, union, type Tract, tractsInTurns } from '#geo';
import { Blur, blurredSum, Refusal } from '#platform';
import type { AudienceRefusal } from './audience.errors.ts';
import { AudienceRepository, type Kind, KINDS, type TractCount } from './audience.repository.ts';
import type { AudienceQuery } from './audience-statement.ts';

/** Fewer positions than this have no age to be told. */
const AGE_OF_AT_LEAST = 50;

/**
 * What an officer may know of an audience before it is asked. It is an estimate from fixed tracts of 36 km² and more: each tract's
 * count is told to tens, rounded by a keyed digest, and taken by the share of the tract that the area covers. So whatever
 * areas are asked for and subtracted, nothing is told that is finer than a tract.
 */
export interface AudiencePreview {
  /** Two significant digits; null stands for fewer than 10. */
  readonly reached: number | null;
  readonly withheld: number | null;
  /** Inside the area but on a neighbour's land: waiting for its yes, or closed by its policy. */
  readonly waiting: number | null;
  readonly closed: number | null;
  /** Half of the positions in the tracts are at most this old, in whole days; null for fewer than 50. */
  readonly medianAgeDays: number | null;
}

export interface PreviewQuery extends AudienceQuery {
  readonly area: Area;
}

@Injectable()
export class Audience {
  constructor(
    private readonly audience: AudienceRepository,
    private readonly blur: Blur,
  ) {}

  async preview(query: PreviewQuery): Promise<AudiencePreview> {
    const { tracts, shift } = await tractsInTurns(query.area);
    const cells = union(
      tracts.map((tract) => tract.cells),
      [],
    );
    const counts = await this.audience.countByTract({ ...query, area: { kind: 'cells', cells } }, shift);
    const { days, of } = await this.audience.medianAge(cells, query.at);
    const sums = sumsOf(tracts, this.told(counts));
    return { ...sums, medianAgeDays: days === null || of < AGE_OF_AT_LEAST ? null : Math.max(0, Math.ceil(days)) };
  }

  private told(counts: readonly TractCount[]): TractCount[] {
    return counts.map((count) => {
      const devices = this.blur.part(`audience|${count.tract}|${count.kind}`, count.devices);
      return { ...count, devices };
    });
  }

  /** @throws Refusal `area_invalid` for an area that is too big, or that no set of points can be taken from, saying why. */
  async demandSound(tx: EntityManager, area: Area): Promise<void> {
    const fault =
      areaFault(area) ?? (area.kind === 'polygon' ? await this.audience.polygonFault(tx, area.polygon) : null);
    if (!fault) return;
    throw new Refusal<AudienceRefusal>('area_invalid', `The area is not a sound ${area.kind}: ${fault}.`, { fault });
  }
}

function sumsOf(tracts: readonly Tract[], counts: readonly TractCount[]): Record<Kind, number | null> {
  const shares = new Map(tracts.map((tract) => [tract.id, tract.share]));
  const sum = { reached: 0, withheld: 0, waiting: 0, closed: 0 };
  for (const { tract, kind, devices } of counts) sum[kind] += devices * (shares.get(tract) ?? 0);
  const [reached, withheld, waiting, closed] = KINDS.map((kind) => blurredSum(sum[kind]));
  return { reached: reached ?? null, withheld: withheld ?? null, waiting: waiting ?? null, closed: closed ?? null };
}
