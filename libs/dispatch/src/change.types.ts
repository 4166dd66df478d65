import type { Area } from '#geo';
import type { Ladder } from './ladder.types.ts';
import type { Texts } from './alert.types.ts';

export const CHANGE_KINDS = ['area', 'ring', 'ladder', 'texts', 'renew', 'resume', 'photo'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export const CHANGE_STATES = ['proposed', 'approved', 'rejected', 'withdrawn'] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

/** What an officer wants of a live alert that would reach more people or change what they are told. */
export type ProposedChange =
  | { readonly kind: 'area'; readonly area: Area }
  /** Metres around the same point; more than now. */
  | { readonly kind: 'ring'; readonly radiusM: number }
  /** The rings still to come, in place of those planned. */
  | { readonly kind: 'ladder'; readonly ladder: Ladder }
  | { readonly kind: 'texts'; readonly texts: Texts }
  /** From the approval on. */
  | { readonly kind: 'renew'; readonly hours: number }
  /** Lifts a hold. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'photo'; readonly photoId: string };

/** What approving did: how many are asked who were not; null where a change asks nobody. */
export interface Approved {
  readonly targeted: number | null;
}

/** Kinds that build on each other: who wrote an earlier one is an author of the next. */
export const KINDRED: Record<ChangeKind, readonly ChangeKind[]> = {
  area: ['area', 'ring', 'ladder'],
  ring: ['area', 'ring', 'ladder'],
  ladder: ['area', 'ring', 'ladder'],
  texts: ['texts'],
  renew: ['renew'],
  resume: ['resume'],
  photo: ['photo'],
};
