import { areaBounds, type Area } from '#geo';
import type { PushMessage } from '#push';
import type { PushTarget } from '#audience';
import type { Language } from './alert.types.ts';
import type { Lease } from './batch.types.ts';
import { soundOf } from './night.ts';
import { asks, shownText } from './texts.ts';

/** Makes the pushes of one batch; what its phones have in common is made once. */
export class Pushes {
  private readonly common: Omit<PushMessage, 'token' | 'platform' | 'ref' | 'title' | 'body'>;
  private readonly texts = new Map<Language, Pick<PushMessage, 'title' | 'body'>>();

  /** @param publicUrl where alert pages are: no trailing slash */
  constructor(
    private readonly lease: Lease,
    night: boolean,
    publicUrl: string,
  ) {
    const link = `${publicUrl}/a/${lease.slug}`;
    this.common = {
      kind: lease.kind,
      alertId: lease.alertId,
      slug: lease.slug,
      version: lease.version,
      area: compactArea(lease.area),
      band: lease.band,
      sound: soundOf(lease.kind, lease.tier, lease.band, night),
      link,
      photo: asks(lease.kind) && lease.hasPhoto ? `${link}/photo.jpg` : null,
      expiresAt: lease.deadline,
    };
  }

  /** One recipient's push: its text in the phone's language, complete without any other message. */
  to({ token, platform, language }: PushTarget, ref: string): PushMessage {
    const { title, body } = this.textIn(language);
    return { token, platform, ref, title, body, ...this.common };
  }

  private textIn(language: Language): Pick<PushMessage, 'title' | 'body'> {
    const known = this.texts.get(language);
    if (known) return known;
    const text = shownText(this.lease, language);
    this.texts.set(language, text);
    return text;
  }
}

/** A batch's pushes have one area in common: it is put into words once. */
const compacted = new WeakMap<Area, string>();

/** The area for the phone to check itself against: a circle, or the box around any other. */
function compactArea(area: Area): string {
  const compact = compacted.get(area) ?? JSON.stringify(shapeFor(area));
  compacted.set(area, compact);
  return compact;
}

function shapeFor(area: Area): object {
  if (area.kind === 'circle') return { c: area.center, r: area.radiusM };
  const { w, s, e, n } = areaBounds(area);
  // Outwards, to about 10 m: nobody inside may stay silent.
  const [west, south] = [w, s].map((degrees) => Math.floor(degrees * 1e4) / 1e4);
  const [east, north] = [e, n].map((degrees) => Math.ceil(degrees * 1e4) / 1e4);
  return { b: [west, south, east, north] };
}
