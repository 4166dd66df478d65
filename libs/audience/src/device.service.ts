import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { cellOf, coarsen, type LonLat } from '#geo';
import { hashSecret, newSecret, Refusal } from '#platform';
import type { AudienceRefusal } from './audience.errors.ts';
import { FRESH_DAYS } from './audience.repository.ts';
import { DeviceRepository } from './device.repository.ts';
import type { Preferences, PushTarget, Registration } from './device.types.ts';

/** Installations of the app: anonymous, each holding a secret of which only the hash is kept. */
@Injectable()
export class Devices {
  constructor(private readonly devices: DeviceRepository) {}

  /** @returns the device's secret: told once, never again. */
  async register(registration: Registration): Promise<string> {
    const secret = newSecret();
    await this.devices.insert(registration, hashSecret(secret));
    return secret;
  }

  /** The device that holds this secret, or null. */
  async authenticate(secret: string): Promise<{ id: number } | null> {
    const id = await this.devices.findBySecret(hashSecret(secret));
    return id === null ? null : { id };
  }

  /** A provider gives an installation a new token from time to time. */
  renewToken(id: number, token: string, language: string): Promise<void> {
    return this.devices.updateToken(id, token, language);
  }

  /** Overwrites where the device is, to about 1 km: a finer place is rounded before it is stored. WGS-84. */
  async move(id: number, place: LonLat): Promise<void> {
    const [lon, lat] = coarsen(place);
    await this.devices.updatePosition(id, { cell: cellOf([lon, lat]), lon, lat });
  }

  /** @throws Refusal `zone_invalid` */
  async prefer(id: number, preferences: Preferences): Promise<void> {
    if (preferences.quiet && !isZone(preferences.quiet.zone)) {
      throw new Refusal<AudienceRefusal>('zone_invalid', 'quiet.zone is not an IANA time zone such as Asia/Shanghai.');
    }
    await this.devices.updatePreferences(id, preferences);
  }

  /** Deletes the device's row, token, place and preferences. */
  forget(id: number): Promise<void> {
    return this.devices.delete(id);
  }

  /** Positions are kept for 30 days, then forgotten. @returns how many were */
  forgetStalePlaces(): Promise<number> {
    return this.devices.forgetPlaces(FRESH_DAYS);
  }

  targets(ids: readonly number[]): Promise<PushTarget[]> {
    return this.devices.targets(ids);
  }

  /** A provider says that these tokens are dead. */
  retire(tx: EntityManager, dead: readonly Pick<PushTarget, 'id' | 'token'>[]): Promise<void> {
    return this.devices.retire(tx, dead);
  }
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
