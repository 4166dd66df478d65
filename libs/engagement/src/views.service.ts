import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, Coalesced, Keys, networkOf } from '#platform';
import { ForwardTokens } from './forward-tokens.ts';
import { type ViewRow, ViewsRepository } from './views.repository.ts';
import { isPerson, type Visitor } from './visitor.ts';

/** 64 bits tell the visitors of one link apart and are too few to be worth anything else. */
const DIGEST_BYTES = 8;
/** Visitors of one network that one link tells apart in a day: a household counts whole, a machine that invents browsers does not. */
const VISITORS_PER_NETWORK = 16;
/** Views waiting for the database at most: about 2 MB. Beyond it the page comes first and the count is short. */
const MAX_WAITING = 10_000;

export interface Visit extends Visitor {
  readonly alertId: string;
  /** The forward link's token, as it came. */
  readonly token: string;
}

/**
 * Counts people who come by a forward link, each once a day and link. Of the visitor nothing is kept but a keyed digest
 * that changes with the alert and the day. No page waits for it: views that come while others are being written are
 * written together, next.
 */
@Injectable()
export class Views implements OnApplicationShutdown {
  private readonly logger = new Logger(Views.name);
  private waiting: ViewRow[] = [];
  private readonly writes = new Coalesced(() => this.write());

  constructor(
    private readonly views: ViewsRepository,
    private readonly tokens: ForwardTokens,
    private readonly keys: Keys,
    private readonly clock: Clock,
  ) {}

  /** @returns whether the visit is to be counted: a person's, by a genuine link, with room to remember it. */
  count(visit: Visit): boolean {
    const forwardId = isPerson(visit) ? this.tokens.decode(visit.token) : null;
    if (forwardId === null || this.waiting.length >= MAX_WAITING) return false;
    this.waiting.push({ forwardId, alertId: visit.alertId, visitorDigest: this.digest(visit) });
    void this.writes.run();
    return true;
  }

  onApplicationShutdown(): Promise<void> {
    return this.writes.idle();
  }

  private async write(): Promise<void> {
    const rows = this.waiting;
    this.waiting = [];
    try {
      await this.views.insert(rows);
    } catch (error) {
      this.logger.error({ err: error, views: rows.length }, 'views could not be counted');
    }
  }

  private digest({ alertId, address, userAgent }: Visit): Buffer {
    const day = this.clock.now().toISOString().slice(0, 10);
    const browser = this.keys.mac('view-digest', `browser|${userAgent}`, 4).readUInt32BE() % VISITORS_PER_NETWORK;
    return this.keys.mac('view-digest', [alertId, day, networkOf(address), browser].join('|'), DIGEST_BYTES);
  }
}
