import { z } from 'zod';
import { NEIGHBOUR_POLICIES } from '#access';
import { LAND_STATES, type Neighbour } from '#dispatch';
import { uuid } from './common.ts';

/** Phones on other agencies' land, rounded as every count before a release. */
export const elsewhere = {
  waiting: z.int().nullable().describe('On land whose agency has not agreed yet.'),
  closed: z.int().nullable().describe('On land whose agency takes no alerts of others.'),
};

const neighbour = z.object({
  agencyId: uuid,
  name: z.string(),
  policy: z.enum(NEIGHBOUR_POLICIES),
  state: z.enum(LAND_STATES).nullable().describe('Null before the release: then nobody was asked.'),
});

export const neighbours = z.array(neighbour).describe('Other agencies whose land the area meets.');

export function viewOfNeighbour({ agencyId, name, policy, state }: Neighbour): z.input<typeof neighbour> {
  return { agencyId, name, policy, state };
}
