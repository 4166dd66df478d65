import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

export interface ViewRow {
  readonly forwardId: number;
  readonly alertId: string;
  readonly visitorDigest: Buffer;
}

@Injectable()
export class ViewsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Adds the views that are not there yet, of forwards that exist and are the alert's. */
  async insert(rows: readonly ViewRow[]): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO views (forward_id, visitor_digest)
       SELECT given.forward_id, given.visitor_digest
       FROM unnest($1::bigint[], $2::uuid[], $3::bytea[]) AS given (forward_id, alert_id, visitor_digest)
       JOIN forwards f ON f.id = given.forward_id AND f.alert_id = given.alert_id AND f.views IS NULL
       ORDER BY 1, 2 FOR KEY SHARE OF f
       ON CONFLICT DO NOTHING`,
      [rows.map((row) => row.forwardId), rows.map((row) => row.alertId), rows.map((row) => row.visitorDigest)],
    );
  }
}
