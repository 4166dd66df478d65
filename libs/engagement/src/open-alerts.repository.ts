import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

@Injectable()
export class OpenAlertsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Whether the alert asked the recipient at `index` of a batch. */
  async asked(alertId: string, batchId: number, index: number): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>(
      'SELECT 1 FROM batches WHERE id = $1 AND alert_id = $2 AND size > $3',
      [batchId, alertId, index],
    );
    return rows.length > 0;
  }
}
