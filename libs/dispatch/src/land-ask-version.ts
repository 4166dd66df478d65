import { digestOf } from './digest.ts';
import type { LandAsk } from './land-ask.repository.ts';

/**
 * The digest of everything a neighbour's verifier agrees to: the land, and the alert and text that phones there will show.
 * @returns 64 hexadecimal digits
 */
export function landAskVersion(ask: LandAsk): string {
  return digestOf({
    ask: [ask.id, ask.landDigest],
    alert: [ask.alertId, ask.tier, ask.area, ask.place, ask.callNumber, ask.instruction, ask.hasPhoto],
    message: [ask.version, ask.texts],
  });
}
