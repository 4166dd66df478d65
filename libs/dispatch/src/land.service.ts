import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Lands as LandsLeftOut } from '#audience';
import type { Alert } from './alert.entity.ts';
import { LandRepository, type Neighbour } from './land.repository.ts';

/** What of an alert's area is other agencies' land: the area may cross into it, and shows that it does. */
@Injectable()
export class Lands {
  constructor(private readonly lands: LandRepository) {}

  /** What a release would meet, and the land that would be left out of its audience. */
  async foresee(alert: Alert): Promise<{ neighbours: Neighbour[]; leftOut: LandsLeftOut | undefined }> {
    // It is found, not sent: nobody's phone is asked on anybody's land.
    if (alert.tier === 'page_only') return { neighbours: [], leftOut: undefined };
    return this.lands.foresee(alert.agencyId, alert.area);
  }

  /** The neighbours of an alert: foreseen while it is proposed, then as they stand. */
  async neighbours(alert: Alert, tx?: EntityManager): Promise<Neighbour[]> {
    if (alert.state === 'proposed') return (await this.foresee(alert)).neighbours;
    return this.lands.ofAlert(alert.id, tx);
  }
}
