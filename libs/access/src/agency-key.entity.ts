import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** Lets another police system post cases to one agency. */
@Entity('agency_keys')
export class AgencyKey {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'agency_id' })
  agencyId!: string;

  /** Which system holds it, for the people who manage keys. */
  @Column('text')
  label!: string;

  @Column('bytea', { name: 'secret_hash', unique: true, select: false })
  secretHash!: Buffer;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
