import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In } from 'typeorm';
import { AlertChange } from './change.entity.ts';
import { type ChangeKind, KINDRED } from './change.types.ts';

@Injectable()
export class ChangeRepository {
  constructor(private readonly dataSource: DataSource) {}

  async insert(tx: EntityManager, change: Omit<AlertChange, 'createdAt'>): Promise<void> {
    await tx.insert(AlertChange, change);
  }

  find(tx: EntityManager, alertId: string, id: string): Promise<AlertChange | null> {
    return tx.findOneBy(AlertChange, { id, alertId });
  }

  /** Newest first. */
  list(tx: EntityManager, alertId: string): Promise<AlertChange[]> {
    return tx.find(AlertChange, { where: { alertId }, order: { createdAt: 'DESC', id: 'DESC' } });
  }

  /** Those to be decided. */
  pending(alertId: string, tx: EntityManager = this.dataSource.manager): Promise<number> {
    return tx.countBy(AlertChange, { alertId, state: 'proposed' });
  }

  /** The officers who wrote the approved changes that one of this kind builds on. */
  async authorsBefore(tx: EntityManager, alertId: string, kind: ChangeKind): Promise<string[]> {
    const earlier = await tx.findBy(AlertChange, { alertId, state: 'approved', kind: In([...KINDRED[kind]]) });
    return earlier.flatMap((change) => change.authorIds);
  }

  async decide(
    tx: EntityManager,
    id: string,
    decision: Pick<AlertChange, 'state'> & Partial<Pick<AlertChange, 'decidedBy' | 'version' | 'reason'>>,
  ): Promise<void> {
    await tx.update(AlertChange, { id }, { ...decision, decidedAt: () => 'now()' });
  }

  /** What the ladder has proposed is nobody's to decide once the ladder is another, or ended. */
  async withdrawProposedRing(tx: EntityManager, alertId: string, officerId: string | null): Promise<void> {
    await tx.query(
      `UPDATE alert_changes SET state = 'withdrawn', decided_by = $2, decided_at = now()
       WHERE alert_id = $1 AND state = 'proposed' AND proposed_by IS NULL`,
      [alertId, officerId],
    );
  }

  /** What a frozen officer proposed is not left for others to approve; of an agency, what its alerts wait for. */
  async withdrawOf(
    tx: EntityManager,
    whose: { readonly agencyId: string } | { readonly officerId: string },
  ): Promise<void> {
    const [condition, value] =
      'officerId' in whose
        ? ['proposed_by = $1', whose.officerId]
        : ['alert_id IN (SELECT id FROM alerts WHERE agency_id = $1)', whose.agencyId];
    await tx.query(
      `UPDATE alert_changes SET state = 'withdrawn', decided_at = now() WHERE state = 'proposed' AND ${condition}`,
      [value],
    );
  }
}
