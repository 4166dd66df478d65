import type { Alert } from './alert.entity.ts';
import type { AlertChange } from './change.entity.ts';
import { digestOf } from './digest.ts';
import type { Message } from './message.entity.ts';

/**
 * The digest of everything that the approval of a change decides on: the change, and the alert as it stands. Whatever
 * moves meanwhile (a hold, another change, a message) makes another.
 * @returns 64 hexadecimal digits
 */
export function changeVersion(change: Pick<AlertChange, 'id' | 'content'>, alert: Alert, message: Message): string {
  return digestOf({
    change: [change.id, change.content],
    alert: [alert.id, alert.state, alert.tier, alert.area, alert.origin, alert.photoId, alert.expiresAt],
    sending: [alert.epoch, alert.heldAt, alert.heldReason, alert.stoppedAt],
    ladder: [alert.ladder, alert.ladderEndedAt],
    told: [message.version, message.kind, message.texts, message.notice],
  });
}
