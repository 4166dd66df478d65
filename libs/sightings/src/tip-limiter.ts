import { Injectable } from '@nestjs/common';
import { networkOf, type RateLimit, RateLimits, Refusal } from '#platform';
import type { SightingRefusal } from './sightings.errors.ts';

/** Tips that one source may give in ten minutes: a person gets through, a machine does not. */
export const TIPS_PER_WINDOW = 30;
/** Tips from one address in as long: also a crowd, each of whom was asked by a push. */
export const TIPS_PER_CROWD = 300;
const WINDOW_S = 600;

/** Who gives a tip, as far as it bears on how many. */
export interface TipSource {
  readonly address: string;
  /** Whom the alert asked by a push: counted alone, not with everyone behind the address. */
  readonly recipient?: { readonly batchId: number; readonly index: number } | null;
}

@Injectable()
export class TipLimiter {
  private readonly sources: RateLimit;
  private readonly crowds: RateLimit;

  constructor(limits: RateLimits) {
    this.sources = limits.of({ name: 'tips', points: TIPS_PER_WINDOW, windowS: WINDOW_S });
    this.crowds = limits.of({ name: 'tips:crowd', points: TIPS_PER_CROWD, windowS: WINDOW_S });
  }

  /** @throws Refusal `too_many_sightings` with `retryAfter`, in seconds */
  async consume({ address, recipient }: TipSource): Promise<void> {
    const network = networkOf(address);
    demand(await this.crowds.consume(network));
    demand(
      await this.sources.consume(
        recipient ? `recipient:${recipient.batchId}/${recipient.index}` : `address:${network}`,
      ),
    );
  }
}

function demand(retryAfter: number | null): void {
  if (retryAfter === null) return;
  const detail = 'Too many sightings came from here in the last minutes. Call the number on the alert.';
  throw new Refusal<SightingRefusal>('too_many_sightings', detail, { retryAfter });
}
