import type { Point } from 'geojson';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Area } from '#geo';
import type { Mode } from '#push';
import type { AlertState } from './alert-states.ts';
import type { Instruction, Localised, Tier } from './alert.types.ts';

/** What the public is told about one or more cases of one event. */
@Entity('alerts')
export class Alert {
  @PrimaryColumn('uuid')
  id!: string;

  /** The unguessable name in links. */
  @Column('text', { unique: true })
  slug!: string;

  @Column('uuid', { name: 'agency_id' })
  agencyId!: string;

  @Column('text')
  state!: AlertState;

  @Column('text')
  mode!: Mode;

  @Column('text')
  tier!: Tier;

  @Column('jsonb')
  area!: Area;

  /** Where the child was last seen, rounded to about 1 km: bands are counted from here. */
  @Column('geography', { spatialFeatureType: 'Point', srid: 4326 })
  origin!: Point;

  /** IANA zone that decides what is night. */
  @Column('text')
  zone!: string;

  @Column('jsonb')
  place!: Localised;

  @Column('text', { name: 'call_number' })
  callNumber!: string;

  @Column('text')
  instruction!: Instruction;

  @Column('uuid', { name: 'photo_id', nullable: true })
  photoId!: string | null;

  /** From release to expiry. */
  @Column('smallint')
  hours!: number;

  /** Grows with every message that overtakes what is queued. */
  @Column('integer', { default: 0 })
  epoch!: number;

  @Column('timestamptz', { name: 'released_at', nullable: true })
  releasedAt!: Date | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
