import type { Point } from 'geojson';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Area } from '#geo';
import type { Mode } from '#push';
import type { AlertState } from './alert-states.ts';
import type { Ladder } from './ladder.types.ts';
import type { HoldReason, Instruction, Localised, Tier } from './alert.types.ts';

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

  /** While it is set nobody is asked or updated; the page shows the alert as before. */
  @Column('timestamptz', { name: 'held_at', nullable: true })
  heldAt!: Date | null;

  @Column('uuid', { name: 'held_by', nullable: true })
  heldBy!: string | null;

  @Column('text', { name: 'held_reason', nullable: true })
  heldReason!: HoldReason | null;

  /** When two officers resumed it last: what was owed while it was held is owed since then. */
  @Column('timestamptz', { name: 'resumed_at', nullable: true })
  resumedAt!: Date | null;

  /** From then on nobody new is asked; those who were are told what follows. */
  @Column('timestamptz', { name: 'stopped_at', nullable: true })
  stoppedAt!: Date | null;

  @Column('uuid', { name: 'stopped_by', nullable: true })
  stoppedBy!: string | null;

  /** The rings after the area, which is the first. */
  @Column('jsonb')
  ladder!: Ladder;

  /** From then on no ring of the ladder is fired or proposed. */
  @Column('timestamptz', { name: 'ladder_ended_at', nullable: true })
  ladderEndedAt!: Date | null;

  @Column('uuid', { name: 'ladder_ended_by', nullable: true })
  ladderEndedBy!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
