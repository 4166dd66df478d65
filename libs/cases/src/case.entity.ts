import type { Point } from 'geojson';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { CaseDetails, CaseType, Cause, Outcome } from './case.types.ts';
import type { CaseState } from './case-states.ts';

/** One missing child as police know them. */
@Entity('cases')
export class Case {
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

  @Column('jsonb')
  details!: CaseDetails;

  @Column('timestamptz', { name: 'last_seen_from', nullable: true })
  lastSeenFrom!: Date | null;

  @Column('timestamptz', { name: 'last_seen_until', nullable: true })
  lastSeenUntil!: Date | null;

  @Column('text', { name: 'last_seen_place', nullable: true })
  lastSeenPlace!: string | null;

  @Column('geography', { name: 'last_seen_point', spatialFeatureType: 'Point', srid: 4326, nullable: true })
  lastSeenPoint!: Point | null;

  /** Every officer who wrote or submitted any part: none of them may verify it. */
  @Column('uuid', { name: 'author_ids', array: true })
  authorIds!: string[];

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

  /** Why a verifier returned or rejected it. */
  @Column('text', { name: 'decision_reason', nullable: true })
  decisionReason!: string | null;

  @Column('text', { nullable: true })
  outcome!: Outcome | null;

  @Column('text', { nullable: true })
  cause!: Cause | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
