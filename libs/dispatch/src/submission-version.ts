import type { Case, CasePhoto } from '#cases';
import type { Alert } from './alert.entity.ts';
import { digestOf } from './digest.ts';
import type { Message } from './message.entity.ts';

/**
 * The digest of everything a verifier decides on: private case, harm check, photos and, where there is to be one, the
 * public alert and its text. A verifier names the version seen; anything changed since makes another.
 * @returns 64 hexadecimal digits
 */
export function submissionVersion(
  held: Case,
  photos: readonly CasePhoto[],
  alert: Alert | null,
  message: Message | null,
): string {
  return digestOf({
    case: [
      held.id,
      held.type,
      held.details,
      held.lastSeenFrom,
      held.lastSeenUntil,
      held.lastSeenPlace,
      held.lastSeenPoint,
    ],
    harm: [held.consent, held.custodyOrderChecked, held.publicity],
    photos: photos.map((photo) => photo.digest.toString('hex')).sort(),
    alert: alert && [alert.id, alert.mode, alert.tier, alert.area, alert.ladder, alert.origin, alert.zone, alert.place],
    call: alert && [alert.callNumber, alert.instruction, alert.photoId, alert.hours],
    texts: message?.texts,
  });
}
