import { areaBounds, type Area } from '#geo';
import type { PushMessage } from '#push';
import type { PushTarget } from '#audience';
import type { Lease } from './batch.repository.ts';
import { soundOf } from './night.ts';
import { asks, shownText } from './texts.ts';

/** What every push of one batch has in common. */
export interface Pushing {
  readonly lease: Lease;
  readonly night: boolean;
  /** Where alert pages are: no trailing slash. */
  readonly publicUrl: string;
}

/** One recipient's push: its text in the phone's language, complete without any other message. */
export function pushTo(target: PushTarget, ref: string, { lease, night, publicUrl }: Pushing): PushMessage {
  const { title, body } = shownText(lease, target.language);
  const link = `${publicUrl}/a/${lease.slug}`;
  return {
    token: target.token,
    platform: target.platform,
    kind: lease.kind,
    alertId: lease.alertId,
    slug: lease.slug,
    version: lease.version,
    ref,
    title,
    body,
    area: compactArea(lease.area),
    band: lease.band,
    sound: soundOf(lease.kind, lease.tier, lease.band, night),
    link,
    photo: asks(lease.kind) && lease.hasPhoto ? `${link}/photo.jpg` : null,
    expiresAt: lease.deadline,
  };
}

/** The area for the phone to check itself against: a circle, or the box around a polygon. */
function compactArea(area: Area): string {
  if (area.kind === 'circle') return JSON.stringify({ c: area.center, r: area.radiusM });
  const { w, s, e, n } = areaBounds(area);
  return JSON.stringify({ b: [w, s, e, n].map((degrees) => Number(degrees.toFixed(4))) });
}
