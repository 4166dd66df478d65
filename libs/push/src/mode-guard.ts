import { PushRefused } from './push.errors.ts';
import type { Mode, PushMessage } from './push-gateway.ts';

/**
 * What every simulated phone's token starts with. No real one does: FCM's is a 22-character installation id, a colon and
 * a key; APNs' is hexadecimal; a Web Push subscription is an https address.
 */
const SIMULATED = 'sim:';

/**
 * Keeps drills away from people and simulated phones away from providers.
 * @param providerIsReal whether what the adapter speaks to can reach real phones
 * @throws {PushRefused} for the first message that does not belong
 */
export function guardMode(mode: Mode, providerIsReal: boolean, messages: readonly PushMessage[]): void {
  if (mode !== 'real' && providerIsReal) throw new PushRefused('REAL_PROVIDER_OUTSIDE_REAL_MODE', mode);
  for (const { token } of messages) {
    const simulated = token.startsWith(SIMULATED);
    if (mode !== 'real' && !simulated) throw new PushRefused('REAL_TOKEN_OUTSIDE_REAL_MODE', mode);
    if (simulated && providerIsReal) throw new PushRefused('SIMULATED_TOKEN_TO_REAL_PROVIDER', mode);
  }
}
