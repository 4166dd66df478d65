import type { MultiPolygon } from 'geojson';
import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

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

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
