import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Lets an officer set a password once; one is open at a time. */
@Entity('invitations')
export class Invitation {
  @PrimaryColumn('uuid', { name: 'officer_id' })
  officerId!: string;

  @Column('bytea', { name: 'secret_hash', unique: true })
  secretHash!: Buffer;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
