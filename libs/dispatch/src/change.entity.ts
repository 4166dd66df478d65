import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ChangeState, ProposedChange } from './change.types.ts';

/** A change of a live alert, as one officer proposes it and another decides. */
@Entity('alert_changes')
export class AlertChange {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'alert_id' })
  alertId!: string;

  @Column('text')
  kind!: ProposedChange['kind'];

  /** With its kind. */
  @Column('jsonb')
  content!: ProposedChange;

  @Column('text')
  state!: ChangeState;

  /** Null when the ladder proposed it. */
  @Column('uuid', { name: 'proposed_by', nullable: true })
  proposedBy!: string | null;

  /** The proposer, and whoever wrote an earlier change that this one builds on: none of them may approve it. */
  @Column('uuid', { name: 'author_ids', array: true })
  authorIds!: string[];

  @Column('uuid', { name: 'decided_by', nullable: true })
  decidedBy!: string | null;

  @Column('timestamptz', { name: 'decided_at', nullable: true })
  decidedAt!: Date | null;

  /** What the approving officer had seen. */
  @Column('text', { nullable: true })
  version!: string | null;

  /** Why it was rejected: private words, sealed under the case's key. */
  @Column('bytea', { nullable: true })
  reason!: Buffer | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
