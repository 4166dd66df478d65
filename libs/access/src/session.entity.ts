import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** One sign-in of an officer on one browser. */
@Entity('sessions')
export class Session {
  /** SHA-256 of the cookie's secret: what is stored lets nobody in. */
  @PrimaryColumn('bytea', { name: 'secret_hash' })
  secretHash!: Buffer;

  /** How the officer and the audit name it. */
  @Column('uuid', { unique: true, default: () => 'gen_random_uuid()' })
  id!: string;

  @Column('uuid', { name: 'officer_id' })
  officerId!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'seen_at' })
  seenAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  /** When the officer last proved in it who they are. */
  @Column('timestamptz', { name: 'stepped_up_at' })
  steppedUpAt!: Date;

  /** Whether a second factor was shown. */
  @Column('boolean', { name: 'second_factor' })
  secondFactor!: boolean;

  /** Keyed digest of the network it was opened from, to tell sessions apart: no address is kept. */
  @Column('bytea', { nullable: true })
  network!: Buffer | null;
}
