import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

export interface ReceiptRow {
  readonly batchId: number;
  readonly index: number;
  readonly kind: string;
}

/**
 * The lock holds a batch against its deletion until the rows that name it stand; the order keeps two reports that share
 * recipients from waiting for each other. OFFSET 0 keeps the question of reduction out of the join: of a table that has no
 * statistics yet, the planner would think that it leaves one batch, and compare each receipt with each batch.
 */
const INSERT = `
  WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[]) AS given (batch_id, index, kind)
  ), known AS MATERIALIZED (
    SELECT id, size FROM batches WHERE id = ANY ($1::bigint[])
      AND NOT EXISTS (SELECT FROM reduced_engagements e WHERE e.alert_id = batches.alert_id OFFSET 0) FOR KEY SHARE
  ), inserted AS (
    INSERT INTO receipts (batch_id, index, kind)
    SELECT batch_id, index, kind FROM given JOIN known ON known.id = batch_id AND index < size
    ORDER BY batch_id, index, kind
    ON CONFLICT DO NOTHING
  )
  SELECT id FROM known`;

@Injectable()
export class ReceiptsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Adds the rows that are not there yet. @returns the batches that exist and are not reduced to counts. */
  async insert(rows: readonly ReceiptRow[]): Promise<Set<number>> {
    const known = await this.dataSource.query<{ id: number }[]>(INSERT, [
      rows.map((row) => row.batchId),
      rows.map((row) => row.index),
      rows.map((row) => row.kind),
    ]);
    return new Set(known.map(({ id }) => id));
  }
}
