import type { Mode, PushMessage, PushOutcome, PushRefusal } from './push-gateway.ts';

/**
 * What every simulated phone's token starts with. No real one does: FCM's is a 22-character installation id, a colon and
 * a key; APNs' is hexadecimal; a Web Push subscription is an https address.
 */
const SIMULATED = 'sim:';

/**
 * Keeps drills away from people and simulated phones away from providers: only the messages that go with the mode and
 * the provider are handed to `sendAllowed`. Every outcome stands in its message's place.
 * @param providerIsReal whether what the adapter speaks to can reach real phones
 * @param sendAllowed gives one outcome for each, in the same order; told of an empty list too
 */
export async function sendGuarded(
  mode: Mode,
  providerIsReal: boolean,
  messages: readonly PushMessage[],
  sendAllowed: (allowed: PushMessage[]) => Promise<PushOutcome[]>,
): Promise<PushOutcome[]> {
  const refusals = messages.map(({ token }) => refusalOf(mode, providerIsReal, token));
  const allowed = messages.filter((_, n) => refusals[n] === null);
  const outcomes = (await sendAllowed(allowed)).values();
  return refusals.map((code) =>
    code === null ? (outcomes.next().value as PushOutcome) : { outcome: 'rejected', code },
  );
}

/** Which rule keeps a message from being sent; `null` where none does. */
export function refusalOf(mode: Mode, providerIsReal: boolean, token: string): PushRefusal | null {
  const simulated = token.startsWith(SIMULATED);
  if (mode !== 'real' && providerIsReal) return 'REAL_PROVIDER_OUTSIDE_REAL_MODE';
  if (mode !== 'real' && !simulated) return 'REAL_TOKEN_OUTSIDE_REAL_MODE';
  if (simulated && providerIsReal) return 'SIMULATED_TOKEN_TO_REAL_PROVIDER';
  return null;
}
