import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { MessageKind, Notice, Texts } from './alert.types.ts';

/** One version of an alert's text, in every language. */
@Entity('messages')
export class Message {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'alert_id' })
  alertId!: string;

  /** 1, 2, … per alert; a phone drops what is not newer than what it shows. */
  @Column('integer')
  version!: number;

  @Column('text')
  kind!: MessageKind;

  @Column('jsonb')
  texts!: Texts;

  /** What those who were asked before are told first, in our own words. */
  @Column('text', { nullable: true })
  notice!: Notice | null;

  /** Null when no officer wrote it: posted by another system, or written by expiry. */
  @Column('uuid', { name: 'author_id', nullable: true })
  authorId!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
