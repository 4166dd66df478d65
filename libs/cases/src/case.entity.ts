import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { CaseContents, CaseType, Cause, Outcome } from './case.types.ts';
import type { CaseState } from './case-states.ts';

/** One missing child as police know them, its private part sealed. What stands open here outlives the erasure: statistics need it. */
@Entity('cases')
export class StoredCase {
  @PrimaryColumn('uuid')
  id!: string;

  /** What people say on the phone, e.g. `G72-7KQ4-M2XD`. */
  @Column('text', { unique: true })
  reference!: string;

  @Column('uuid', { name: 'agency_id' })
  agencyId!: string;

  @Column('text')
  state!: CaseState;

  @Column('text')
  type!: CaseType;

  /** {@link CaseContents} under the case's key; null once it is erased. */
  @Column('bytea', { nullable: true })
  sealed!: Buffer | null;

  /** Every officer who wrote or submitted any part: none of them may verify it. */
  @Column('uuid', { name: 'author_ids', array: true })
  authorIds!: string[];

  /** Officers with a declared conflict of interest: none of them may do anything with it. */
  @Column('uuid', { name: 'conflicted_ids', array: true, default: () => `'{}'` })
  conflictedIds!: string[];

  /** The key of the police system that posted it, where no officer wrote it. */
  @Column('uuid', { name: 'intake_key_id', nullable: true })
  intakeKeyId!: string | null;

  @Column('uuid', { name: 'verifier_id', nullable: true })
  verifierId!: string | null;

  @Column('timestamptz', { name: 'submitted_at', nullable: true })
  submittedAt!: Date | null;

  @Column('timestamptz', { name: 'verified_at', nullable: true })
  verifiedAt!: Date | null;

  @Column('timestamptz', { name: 'closed_at', nullable: true })
  closedAt!: Date | null;

  @Column('text', { nullable: true })
  outcome!: Outcome | null;

  @Column('text', { nullable: true })
  cause!: Cause | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  @Column('timestamptz', { name: 'erased_at', nullable: true })
  erasedAt!: Date | null;
}

/** A case with its private part opened. */
export type Case = Omit<StoredCase, 'sealed' | 'erasedAt'> & CaseContents;
