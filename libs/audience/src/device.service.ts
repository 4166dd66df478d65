import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ENV, type Env, hashSecret, inPieces, newSecret, Refusal, Zones } from '#platform';

import type { AudienceRefusal } from './audience.errors.ts';
import { FRESH_DAYS } from './audience-statement.ts';
import { DeviceRepository } from './device.repository.ts';
import type { Preferences, PushTarget, Registration } from './device.types.ts';

/** FCM takes an Android token unused for so long for expired (firebase.google.com/docs/cloud-messaging/manage-tokens); we keep none longer. */
export const UNHEARD_DAYS = 270;

/** Devices that one statement forgets. */
const DEVICES_AT_ONCE = 10_000;
/** Statements in one run: the rest waits for the next. */
const MANY = 500;

/** Google's tokens hold no such prefix; the simulator's all do. */
const SIMULATED_TOKEN = 'sim:';

/** Installations of the app: anonymous, each holding a secret of which only the hash is kept. */
@Injectable()
export class Devices {
  constructor(
    private readonly devices: DeviceRepository,
    private readonly zones: Zones,
    @Inject(ENV) private readonly env: Pick<Env, 'DEPLOYMENT'>,
  ) {}

  /**
   * @returns the device's secret: told once, never again.
   * @throws Refusal `token_unfit`
   */
  async register(registration: Registration): Promise<string> {
    this.demandFit(registration.token);
    const secret = newSecret();
    await this.devices.insert(registration, hashSecret(secret));
    return secret;
  }

  /** The device that holds this secret, or null. */
  async authenticate(secret: string): Promise<{ id: number } | null> {
    const id = await this.devices.findBySecret(hashSecret(secret));
    return id === null ? null : { id };
  }

  /** A provider gives an installation a new token from time to time. @throws Refusal `token_unfit` */
  async renewToken(id: number, token: string, language: string): Promise<void> {
    this.demandFit(token);
    return this.devices.updateToken(id, token, language);
  }

  /** @throws Refusal `zone_unknown` */
  async prefer(id: number, preferences: Preferences): Promise<void> {
    if (preferences.quiet && !(await this.zones.isKnown(preferences.quiet.zone))) {
      throw new Refusal<AudienceRefusal>('zone_unknown', 'quiet.zone is not an IANA time zone such as Asia/Shanghai.');
    }
    await this.devices.updatePreferences(id, preferences);
  }

  /** Deletes the device's row, token, place and preferences. */
  forget(id: number): Promise<void> {
    return this.devices.delete(id);
  }

  /** Positions are kept for 30 days, then forgotten. @returns how many were */
  forgetStalePlaces(): Promise<number> {
    return inPieces(DEVICES_AT_ONCE, MANY, (limit) => this.devices.forgetPlaces(FRESH_DAYS, limit));
  }

  /** A device of which nothing was heard for {@link UNHEARD_DAYS} is forgotten whole; one that comes back registers anew. @returns how many were */
  async forgetUnheard(): Promise<number> {
    await inPieces(DEVICES_AT_ONCE, MANY, (limit) => this.devices.noteSeen(UNHEARD_DAYS, limit));
    return inPieces(DEVICES_AT_ONCE, MANY, (limit) => this.devices.deleteUnheard(UNHEARD_DAYS, limit));
  }

  targets(ids: readonly number[]): Promise<PushTarget[]> {
    return this.devices.targets(ids);
  }

  /** A provider says that these tokens are dead. */
  retire(tx: EntityManager, dead: readonly Pick<PushTarget, 'id' | 'token'>[]): Promise<void> {
    return this.devices.retire(tx, dead);
  }

  /** Simulated phones belong to demonstrations and real ones to real deployments; the push gateway refuses them elsewhere. */
  private demandFit(token: string): void {
    const simulated = token.startsWith(SIMULATED_TOKEN);
    if (simulated === (this.env.DEPLOYMENT === 'demo')) return;
    throw new Refusal<AudienceRefusal>(
      'token_unfit',
      simulated
        ? 'Simulated phones (tokens that begin with sim:) cannot register where alerts are real.'
        : 'This is a demonstration (DEPLOYMENT): only simulated phones, whose tokens begin with sim:, can register.',
    );
  }
}
