import { Injectable } from '@nestjs/common';
import { AlertPhotoRepository } from './alert-photo.repository.ts';
import { AlertRepository } from './alert.repository.ts';
import type { PublicAlert } from './alert.types.ts';
import { asks, endingTexts } from './texts.ts';

/** What an alert's name in links is made of. */
const SLUG = /^[\w-]{1,64}$/;

/** What anybody may know: released alerts, by their unguessable slug. */
@Injectable()
export class PublicAlerts {
  constructor(
    private readonly alerts: AlertRepository,
    private readonly photos: AlertPhotoRepository,
  ) {}

  /**
   * An alert is over when its time is over, whether or not a worker has ended it yet.
   * @returns null when no alert of that slug was ever released
   */
  async bySlug(slug: string): Promise<PublicAlert | null> {
    return (await this.bySlugs([slug])).get(slug) ?? null;
  }

  /** {@link bySlug} of many in one statement. @returns those that were ever released */
  async bySlugs(slugs: readonly string[]): Promise<ReadonlyMap<string, PublicAlert>> {
    // An address may hold anything, also what PostgreSQL cannot take for a text.
    const names = slugs.filter((slug) => SLUG.test(slug));
    const alerts = names.length > 0 ? await this.alerts.publicBySlugs(names) : [];
    return new Map(alerts.map((alert) => [alert.slug, asOfNow(alert)]));
  }

  /** @returns the picture; 'gone' once the alert has ended; null when there is none. */
  async photo(slug: string): Promise<{ jpeg: Buffer; sha256: Buffer } | 'gone' | null> {
    const row = await this.photos.ofSlug(slug);
    if (row?.state === 'ended') return 'gone';
    return row?.jpeg && row.sha256 ? { jpeg: row.jpeg, sha256: row.sha256 } : null;
  }

  /** The cases an alert is about: siblings share one. */
  caseIds(slug: string): Promise<string[]> {
    return this.alerts.caseIdsBySlug(slug);
  }
}

function asOfNow(alert: PublicAlert): PublicAlert {
  if (alert.state === 'live' || !asks(alert.message.kind)) return alert;
  const { message, expiresAt } = alert;
  return {
    ...alert,
    endedAt: expiresAt,
    message: {
      kind: 'expire',
      version: message.version + 1,
      texts: endingTexts('expire', 'ended'),
      createdAt: expiresAt,
    },
  };
}
