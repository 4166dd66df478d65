import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Photo } from '#platform';

/** The public's copy of a photo: there from the release, or from when it is put up, until it is taken down or the alert ends. */
@Injectable()
export class AlertPhotoRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Puts up a photo, in the place of any other. */
  async put(tx: EntityManager, alertId: string, { jpeg, sha256, width, height }: Photo): Promise<void> {
    await tx.query(
      `INSERT INTO alert_photos (alert_id, jpeg, sha256, width, height) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (alert_id) DO UPDATE
         SET jpeg = excluded.jpeg, sha256 = excluded.sha256, width = excluded.width, height = excluded.height`,
      [alertId, jpeg, sha256, width, height],
    );
  }

  /** @returns whether there was one */
  async remove(tx: EntityManager, alertId: string): Promise<boolean> {
    const [, removed] = await tx.query<[unknown[], number]>('DELETE FROM alert_photos WHERE alert_id = $1', [alertId]);
    return removed > 0;
  }

  /** An alert is over when its time is over, whether or not a worker has ended it yet. */
  async ofSlug(slug: string) {
    const rows = await this.dataSource.query<{ state: string; jpeg: Buffer | null; sha256: Buffer | null }[]>(
      `SELECT CASE WHEN a.expires_at <= now() THEN 'ended' ELSE a.state END AS state, p.jpeg, p.sha256 FROM alerts a
       LEFT JOIN alert_photos p ON p.alert_id = a.id AND a.state = 'live' AND a.expires_at > now()
       WHERE a.slug = $1 AND a.state IN ('live', 'ended')`,
      [slug],
    );
    return rows[0];
  }
}
