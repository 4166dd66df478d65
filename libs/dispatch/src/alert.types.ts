import type { DeviceLanguage } from '#audience';
import type { Area } from '#geo';
import type { Mode, PushKind } from '#push';
import type { Ladder } from './ladder.types.ts';

/** The languages of every public text. */
export type Language = DeviceLanguage;

export const TIERS = ['critical', 'serious', 'page_only'] as const;
/** Decides whether phones are asked at all, by day only or at night too, and which of them may sound. */
export type Tier = (typeof TIERS)[number];

/** The first ring: what the field asks at once, metres. */
export const RING_M = 120_000;

export type MessageKind = PushKind;

/** A correction that the system words: the photo shown before was of somebody else. */
export type Notice = 'photo_wrong';

/** Why an officer holds an alert. */
export const HOLD_REASONS = ['wrong_facts', 'danger', 'maybe_found', 'instructed', 'other'] as const;
/** Why the system does: it owed pushes and sent none for long; or the database came from a backup, and what was sent since is forgotten. */
export const SYSTEM_HOLD_REASONS = ['gap', 'restored'] as const;
export type SystemHoldReason = (typeof SYSTEM_HOLD_REASONS)[number];
/** `frozen`, because one of its officers or its agency was. */
export type HoldReason = (typeof HOLD_REASONS)[number] | SystemHoldReason | 'frozen';

/** What to do on seeing the child; it follows the type of the case without telling it. */
export type Instruction = 'do_not_approach' | 'stay_and_call' | 'call';

export type Localised = Readonly<Record<Language, string>>;

/** A message's text in every language; each stands alone, for pushes arrive in no promised order. */
export type Texts = Readonly<Record<Language, { readonly title: string; readonly body: string }>>;

/** What an officer composes for the public, apart from the private case. */
export interface AlertProposal {
  readonly tier: Tier;
  /** Whom to ask; null is the ring of {@link RING_M} around where the child was last seen. */
  readonly area: Area | null;
  /** The rings after it; null is the usual ones that are wider than it, and none where it is no circle. */
  readonly ladder: Ladder | null;
  /** The public's name of the place; may be coarser than the case's. */
  readonly place: Localised;
  readonly photoId: string | null;
  /** Hours from release to expiry. */
  readonly hours: number;
  /** Practised with officers only: reaches no real phone. */
  readonly exercise: boolean;
  readonly texts: Texts;
}

/** An alert as anybody may see it: nothing here comes from the private case. */
export interface PublicAlert {
  readonly id: string;
  readonly slug: string;
  readonly state: 'live' | 'ended';
  readonly mode: Mode;
  readonly tier: Tier;
  readonly area: Area;
  readonly place: Localised;
  readonly callNumber: string;
  readonly instruction: Instruction;
  readonly hasPhoto: boolean;
  readonly releasedAt: Date;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
  /** Its cases' time is over: what it said is gone, and its address answers so. */
  readonly erased: boolean;
  /** The newest message. */
  readonly message: {
    readonly kind: MessageKind;
    readonly version: number;
    readonly texts: Texts;
    readonly createdAt: Date;
  };
}
