import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from './actor.ts';

/** Roles that one person proposed for an officer and another confirms. */
@Entity('role_grants')
export class Grant {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'officer_id' })
  officerId!: string;

  @Column('uuid', { name: 'agency_id' })
  agencyId!: string;

  /** All the officer's roles once it is confirmed. */
  @Column('text', { array: true })
  roles!: Role[];

  @Column('text')
  state!: 'proposed' | 'confirmed' | 'refused' | 'overtaken';

  @Column('uuid', { name: 'proposed_by' })
  proposedBy!: string;

  @Column('timestamptz', { name: 'proposed_at' })
  proposedAt!: Date;

  @Column('uuid', { name: 'decided_by', nullable: true })
  decidedBy!: string | null;

  @Column('timestamptz', { name: 'decided_at', nullable: true })
  decidedAt!: Date | null;
}
