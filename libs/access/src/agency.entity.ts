import type { MultiPolygon } from 'geojson';
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/**
 * What becomes of another agency's alert on this one's land: it is sent as on their own, it waits for this one's yes, or it
 * is not sent.
 */
export const NEIGHBOUR_POLICIES = ['accept', 'ask', 'never'] as const;

export type NeighbourPolicy = (typeof NEIGHBOUR_POLICIES)[number];

/** A police authority. */
@Entity('agencies')
export class Agency {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text', { unique: true })
  name!: string;

  @Column('uuid', { name: 'parent_id', nullable: true })
  parentId!: string | null;

  /** Where it may act: WGS-84, longitude first. Left out of ordinary reads, because a coastline is long. */
  @Column('geometry', { spatialFeatureType: 'MultiPolygon', srid: 4326, select: false })
  jurisdiction?: MultiPolygon;

  /** IANA time zone, e.g. `Asia/Shanghai`: what 'night' and 'today' mean to its officers. */
  @Column('text')
  zone!: string;

  /** The number the public is told to call. */
  @Column('text', { name: 'call_number' })
  callNumber!: string;

  @Column('text', { name: 'neighbour_policy', default: 'ask' })
  neighbourPolicy!: NeighbourPolicy;

  /** Days after its closing for which a case's private data are kept. */
  @Column('int', { name: 'retention_days', default: 90 })
  retentionDays!: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** Set while none of its officers and keys is let in. */
  @Column('timestamptz', { name: 'frozen_at', nullable: true })
  frozenAt!: Date | null;
}
