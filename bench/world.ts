import type { LonLat } from '#geo';
import { populate } from '../apps/demo/src/population.ts';
import { storeDevices } from '../test/harness/stored-devices.ts';

/** Devices over the real towns of China, by population, in a database of its own. */
export interface World {
  readonly databaseUrl: string;
  readonly devices: number;
  /** Where most devices are within 120 km. */
  readonly city: { readonly name: string; readonly center: LonLat };
}

/** Of all towns of more than a million people the one with most devices within 120 km: a tenth of the country's, Shanghai among them. */
const CITY = { name: 'Suzhou', center: [120.59538, 31.30408] as LonLat };

/** Fills a migrated database: see {@link storeDevices}. */
export async function fill(databaseUrl: string, devices: number, progress?: (stored: number) => void): Promise<World> {
  await storeDevices(databaseUrl, populate(devices).devices, progress);
  return { databaseUrl, devices, city: CITY };
}
