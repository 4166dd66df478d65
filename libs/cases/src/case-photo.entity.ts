import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A photo of the child, as our encoder made it. */
@Entity('case_photos')
export class CasePhoto {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'case_id' })
  caseId!: string;

  /** The JPEG under the case's key. Not loaded unless asked for: a few hundred kilobytes. */
  @Column('bytea', { select: false })
  sealed!: Buffer;

  /** Of the picture, under the case's key: the same picture again has the same. */
  @Column('bytea')
  digest!: Buffer;

  @Column('integer')
  width!: number;

  @Column('integer')
  height!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
