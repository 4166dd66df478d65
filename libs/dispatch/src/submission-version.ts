import { createHash } from 'node:crypto';
import type { Case, CasePhoto } from '#cases';
import type { Alert } from './alert.entity.ts';
import type { Message } from './message.entity.ts';

/**
 * The digest of everything a verifier decides on: private case, photos, public alert and its text. A verifier names the
 * version seen; anything changed since makes another.
 * @returns 64 hexadecimal digits
 */
export function submissionVersion(held: Case, photos: readonly CasePhoto[], alert: Alert, message: Message): string {
  const content = {
    case: [
      held.id,
      held.type,
      held.details,
      held.lastSeenFrom,
      held.lastSeenUntil,
      held.lastSeenPlace,
      held.lastSeenPoint,
    ],
    photos: photos.map((photo) => photo.sha256.toString('hex')).sort(),
    alert: [alert.id, alert.mode, alert.tier, alert.area, alert.origin, alert.zone, alert.place],
    call: [alert.callNumber, alert.instruction, alert.photoId, alert.hours],
    texts: message.texts,
  };
  return createHash('sha256')
    .update(JSON.stringify(canonical(content)))
    .digest('hex');
}

/** Objects with their keys in order: jsonb does not promise to keep the writer's. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, canonical(inner)]));
}
