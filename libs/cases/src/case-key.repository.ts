import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

export interface WrappedKey {
  readonly caseId: string;
  readonly wrapped: Buffer;
}

/** The keys' schema is apart from the tables, for its backups are: see docs/adr/0008-per-case-keys.md. */
@Injectable()
export class CaseKeyRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(tx: EntityManager, caseId: string, wrapped: Buffer): Promise<void> {
    await tx.query('INSERT INTO vault.case_keys (case_id, wrapped) VALUES ($1, $2)', [caseId, wrapped]);
  }

  find(caseIds: readonly string[], tx: EntityManager = this.dataSource.manager): Promise<WrappedKey[]> {
    return tx.query<WrappedKey[]>('SELECT case_id AS "caseId", wrapped FROM vault.case_keys WHERE case_id = ANY ($1)', [
      caseIds,
    ]);
  }

  async remove(tx: EntityManager, caseId: string): Promise<void> {
    await tx.query('DELETE FROM vault.case_keys WHERE case_id = $1', [caseId]);
  }
}
