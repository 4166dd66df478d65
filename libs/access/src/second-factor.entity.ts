import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** An officer's authenticator app. */
@Entity('second_factors')
export class SecondFactorRow {
  @PrimaryColumn('uuid', { name: 'officer_id' })
  officerId!: string;

  /** The shared secret, sealed beside the officer's reference. */
  @Column('bytea')
  secret!: Buffer;

  /** The newest time step whose code was used (RFC 6238 §5.2: each once). */
  @Column('bigint', { name: 'last_step', default: 0 })
  lastStep!: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** Null until a code showed that the app has the secret. */
  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt!: Date | null;
}
