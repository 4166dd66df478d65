import { Injectable } from '@nestjs/common';
import { cellOf, coarsen, type LonLat } from '#geo';
import { DeviceRepository } from './device.repository.ts';
import type { ImportedPreferences, Registration } from './device.types.ts';

/** Rows of one statement: large enough to be quick, small enough to show progress. */
const CHUNK = 20_000;

export interface ImportedDevice extends Registration {
  readonly place: LonLat;
  readonly preferences?: ImportedPreferences;
}

/**
 * Registers many devices at once, in the order of their cells so that neighbours share pages. Nobody learns their secrets: for
 * populations that are made, not for apps.
 */
@Injectable()
export class DeviceImport {
  constructor(private readonly devices: DeviceRepository) {}

  /** @param progress called with how many are stored so far */
  async run(devices: readonly ImportedDevice[], progress: (stored: number) => void = () => undefined): Promise<void> {
    const placed = devices.map((device) => {
      const [lon, lat] = coarsen(device.place);
      return { ...device, lon, lat, cell: cellOf([lon, lat]) };
    });
    placed.sort((a, b) => (a.cell < b.cell ? -1 : a.cell > b.cell ? 1 : 0));
    for (let from = 0; from < placed.length; from += CHUNK) {
      await this.devices.insertPlaced(placed.slice(from, from + CHUNK));
      progress(Math.min(from + CHUNK, placed.length));
    }
    await this.devices.analyze();
  }
}
