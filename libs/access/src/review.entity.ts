import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** What another officer found of an act: that it was right, or that it was not. */
export const VERDICTS = ['upheld', 'overturned'] as const;

export type Verdict = (typeof VERDICTS)[number];

/** An act that one officer did alone, or the system by itself, for another officer to look at afterwards. */
@Entity('reviews')
export class Review {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'agency_id' })
  agencyId!: string;

  /** As the audit names it, e.g. `alert.hold`. */
  @Column('text')
  act!: string;

  /** As the audit names it, e.g. `alert:<uuid>`. */
  @Column('text')
  thing!: string;

  /** Who did it; null where the system did. */
  @Column('uuid', { name: 'officer_id', nullable: true })
  officerId!: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('text', { nullable: true })
  verdict!: Verdict | null;

  @Column('uuid', { name: 'settled_by', nullable: true })
  settledBy!: string | null;

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt!: Date | null;
}
