export const DEVICE_LANGUAGES = ['zh-CN', 'en'] as const;
export type DeviceLanguage = (typeof DEVICE_LANGUAGES)[number];

/** What an app tells of itself when it is installed: no person, no number, no name. */
export interface Registration {
  readonly provider: 'fcm';
  readonly platform: 'android' | 'ios';
  /** The provider's address of this installation. */
  readonly token: string;
  readonly language: DeviceLanguage;
}

/** What the person who holds the phone wants; it withholds alerts, and never loses an ending. */
export interface Preferences {
  /** Tiers this person does not want. */
  readonly optedOut: readonly ('critical' | 'serious')[];
  readonly mutedUntil: Date | null;
  /** Local hours without alerts, in minutes of the day (0–1439); `from` may be after `until`: over midnight. */
  readonly quiet: { readonly from: number; readonly until: number; readonly zone: string } | null;
}

/** What a made population may prefer from its start. */
export type ImportedPreferences = Pick<Preferences, 'optedOut' | 'mutedUntil'>;

/** Where and as what to push to one device. */
export interface PushTarget {
  readonly id: number;
  readonly token: string;
  readonly platform: 'android' | 'ios';
  readonly language: DeviceLanguage;
}
