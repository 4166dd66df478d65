import { Injectable } from '@nestjs/common';
import { AlertRepository } from './alert.repository.ts';
import type { PublicAlert } from './alert.types.ts';

/** What anybody may know: released alerts, by their unguessable slug. */
@Injectable()
export class PublicAlerts {
  constructor(private readonly alerts: AlertRepository) {}

  /** @returns null when no alert of that slug was ever released. */
  bySlug(slug: string): Promise<PublicAlert | null> {
    return this.alerts.publicBySlug(slug);
  }

  /** @returns the picture; 'gone' once the alert has ended; null when there is none. */
  async photo(slug: string): Promise<{ jpeg: Buffer; sha256: Buffer } | 'gone' | null> {
    const row = await this.alerts.publicPhoto(slug);
    if (row?.state === 'ended') return 'gone';
    return row?.jpeg && row.sha256 ? { jpeg: row.jpeg, sha256: row.sha256 } : null;
  }

  /** The cases an alert is about: siblings share one. */
  caseIds(slug: string): Promise<string[]> {
    return this.alerts.caseIdsBySlug(slug);
  }
}
