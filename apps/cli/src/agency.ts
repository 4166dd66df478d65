import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { Agencies, type NeighbourPolicy } from '#access';
import { act, withServices } from './context.ts';
import { CommandError, type Io, type Row } from './io.ts';

export interface AgencyOptions {
  readonly name: string;
  readonly zone: string;
  readonly callNumber: string;
  readonly jurisdiction: string;
  readonly parent?: string;
  readonly neighbours?: NeighbourPolicy;
  readonly retentionDays?: number;
}

/** What of an agency can be changed. */
export type AgencySettings = Pick<AgencyOptions, 'neighbours' | 'retentionDays'>;

const rings = z.array(z.array(z.array(z.number()).min(2)));
const geometry = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Polygon'), coordinates: rings }),
  z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(rings) }),
]);
const feature = z.object({ type: z.literal('Feature'), geometry });
const geoJson = z.union([geometry, feature.transform((whole) => whole.geometry)]);

export function createAgency(io: Io, options: AgencyOptions): Promise<{ agency: string }> {
  return withServices(io, async (services) => {
    const { name, zone, callNumber, parent: parentId, neighbours: neighbourPolicy, retentionDays } = options;
    const jurisdiction = await readJurisdiction(options.jurisdiction);
    return act(services, async ({ tx }) => {
      const agencies = services.get(Agencies, { strict: false });
      const agencyId = await agencies.create(tx, {
        ...{ name, zone, callNumber, parentId, jurisdiction },
        ...{ neighbourPolicy, retentionDays },
      });
      return {
        result: { agency: agencyId },
        record: { agencyId, action: 'agency.create', thing: `agency:${agencyId}` },
      };
    });
  });
}

export function setAgency(io: Io, agencyId: string, options: AgencySettings): Promise<{ agency: string }> {
  return withServices(io, (services) =>
    act(services, async ({ tx }) => {
      const { neighbours, retentionDays } = options;
      await services.get(Agencies, { strict: false }).set(tx, agencyId, { neighbourPolicy: neighbours, retentionDays });
      return {
        result: { agency: agencyId },
        record: { agencyId, action: 'agency.set', thing: `agency:${agencyId}`, detail: { ...options } },
      };
    }),
  );
}

/** For one whose own administrators are shut out, where no agency is above it. */
export function thawAgency(io: Io, agencyId: string): Promise<{ agency: string }> {
  return withServices(io, (services) =>
    act(services, async ({ tx }) => {
      const agencies = services.get(Agencies, { strict: false });
      await agencies.agencyById(agencyId, tx);
      await agencies.thaw(tx, agencyId);
      return {
        result: { agency: agencyId },
        record: { agencyId, action: 'agency.thaw', thing: `agency:${agencyId}` },
      };
    }),
  );
}

export function listAgencies(io: Io): Promise<{ agencies: Row[] }> {
  return withServices(io, async (services) => {
    const agencies = await services.get(Agencies, { strict: false }).list();
    return {
      agencies: agencies.map(({ id, name, parentId, neighbourPolicy, retentionDays, frozenAt }) => ({
        id,
        name,
        parent: parentId ?? '',
        neighbours: neighbourPolicy,
        retentionDays: String(retentionDays),
        frozenAt: frozenAt?.toISOString() ?? '',
      })),
    };
  });
}

async function readJurisdiction(path: string): Promise<z.output<typeof geoJson>> {
  const parsed = geoJson.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new CommandError(`${path} is not a GeoJSON Polygon or MultiPolygon, nor a Feature of one`);
}

async function readJson(path: string): Promise<unknown> {
  const words = await readFile(path, 'utf8').catch(() => {
    throw new CommandError(`${path} cannot be read`);
  });
  try {
    return JSON.parse(words);
  } catch {
    throw new CommandError(`${path} is not JSON`);
  }
}
