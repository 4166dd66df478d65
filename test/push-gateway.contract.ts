import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { Mode, PushGateway, PushMessage, PushOutcome } from '#push';

/** How the simulated provider treats whatever comes. */
export type ProviderMood = 'well' | 'slow' | 'failing' | 'silent' | 'garbling' | 'gone';

/** An adapter under test, with a simulated provider behind it. */
export interface PushHarness {
  /** Gives up waiting for an answer after three seconds; has room for at most 100 messages at a time. */
  readonly gateway: PushGateway;
  /** Another of the kind, aimed at the provider that reaches people. Must not connect before it sends. */
  gatewayToPeople(): PushGateway;
  mood(mood: ProviderMood): Promise<void>;
  /** Makes the token one the provider knows as dead, or as never to be served. */
  doom(token: string, fate: 'unregistered' | 'rejected'): void;
  /** The provider's own books. */
  books(alertId: string): { readonly accepted: number; readonly duplicates: number; readonly openConnections: number };
  /** All requests that reached the provider, of whatever end. */
  requests(): number;
  /** Ends the provider. */
  close(): Promise<void>;
}

const REAL_TOKEN = 'cJ3kq9XhQ0mS1vT5wZ7yBd:APA91bFnot-a-token-of-anyone';

/** An invented alert to the `n`th simulated phone. */
export function pushMessage(n: number, change: Partial<PushMessage> = {}): PushMessage {
  return {
    token: `sim:phone-${n}`,
    platform: n % 3 === 0 ? 'ios' : 'android',
    kind: 'alert',
    alertId: 'alert-1',
    slug: 'x7k2m9',
    version: 1,
    ref: `ref-${n}`,
    title: '寻找走失儿童',
    body: 'An invented child, 7 years old, in an invented red coat.',
    area: '{"c":[114.06,22.54],"r":120000}',
    band: Math.floor(n / 50),
    sound: 'wake',
    link: 'https://golden72.example/a/x7k2m9',
    photo: null,
    expiresAt: new Date(Date.now() + 3_600_000),
    ...change,
  };
}

export function pushMessages(count: number, change: Partial<PushMessage> = {}): PushMessage[] {
  return Array.from({ length: count }, (_, n) => pushMessage(n, change));
}

/** Waits for a condition. @throws after ten seconds */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await pause(5)) {
    if (await condition()) return;
  }
  throw new Error('the condition did not come true');
}

/** How many sockets and timers keep this process alive. */
export function heldOpen(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS|Timeout)/.test(kind)).length;
}

/** `accepted`, or outcome and code, e.g. `retry UNAVAILABLE`. */
export function named(outcome: PushOutcome): string {
  return 'code' in outcome ? `${outcome.outcome} ${outcome.code}` : outcome.outcome;
}

export function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** What every adapter owes whoever sends through it. */
export function pushGatewayContract(name: string, makeHarness: () => Promise<PushHarness>): void {
  describe(`${name} as a push gateway`, () => {
    let harness: PushHarness;
    let gateway: PushGateway;
    let heldBefore: number;
    beforeEach(async () => {
      heldBefore = heldOpen();
      harness = await makeHarness();
      ({ gateway } = harness);
    });
    afterEach(async () => {
      await gateway.close();
      await harness.close();
      await until(() => heldOpen() <= heldBefore);
    });

    const kinds = async (messages: readonly PushMessage[]) =>
      (await gateway.send('real', messages)).map(({ outcome }) => outcome);

    it('says that it can send, and disturbs nobody for it', async () => {
      expect(await gateway.canSend()).toBe(true);
      expect(harness.requests()).toBe(0);
    });

    it('sends nothing where there is nothing to send', async () => {
      expect(await gateway.send('real', [])).toEqual([]);
    });

    it('answers for each message in the order they were given', async () => {
      const messages = pushMessages(90);
      const expected = messages.map(({ token }, n) => {
        if (n % 3 === 0) return 'accepted';
        const fate = n % 3 === 1 ? 'unregistered' : 'rejected';
        harness.doom(token, fate);
        return fate;
      });
      expect(await kinds(messages)).toEqual(expected);
      expect(harness.books('alert-1')).toMatchObject({ accepted: 30, duplicates: 0 });
    });

    it('rejects what can never fit, without asking the provider', async () => {
      const before = harness.requests();
      const link = `https://golden72.example/${'x'.repeat(5000)}`;
      expect(await gateway.send('real', [pushMessage(1, { link })])).toEqual([
        { outcome: 'rejected', code: 'PAYLOAD_TOO_LARGE' },
      ]);
      expect(harness.requests()).toBe(before);
    });

    it('has retried what the provider did not take', async () => {
      await harness.mood('failing');
      expect(await kinds(pushMessages(20))).toEqual(Array(20).fill('retry'));
      await harness.mood('well');
      expect(await kinds(pushMessages(20))).toEqual(Array(20).fill('accepted'));
      expect(harness.books('alert-1')).toMatchObject({ accepted: 20, duplicates: 0 });
    });

    it('has retried what could not be sent, and finds the provider again once it is back', async () => {
      await harness.mood('gone');
      // The first to find it gone may have been on the wire.
      await until(async () => (await kinds(pushMessages(1)))[0] === 'retry');
      const outcomes = await gateway.send('real', pushMessages(250));
      expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['retry']));
      await harness.mood('well');
      await until(async () => (await kinds(pushMessages(1)))[0] === 'accepted');
    });

    it.each(['silent', 'garbling'] as const)('does not know of what a %s provider was sent', async (mood) => {
      await harness.mood(mood);
      expect(await kinds(pushMessages(20))).toEqual(Array(20).fill('unknown'));
      await harness.mood('well');
      await until(async () => (await kinds([pushMessage(99)]))[0] === 'accepted');
    });

    it('carries many calls at once and mixes nothing up', async () => {
      const calls = Array.from({ length: 10 }, (_, call) =>
        pushMessages(100, { alertId: `alert-${call}` }).map((message, n) => {
          const token = `sim:${call}-${n}`;
          if (n % 10 === call) harness.doom(token, 'unregistered');
          return { ...message, token };
        }),
      );
      const outcomes = await Promise.all(calls.map(kinds));
      outcomes.forEach((ofCall, call) => {
        expect(ofCall).toEqual(ofCall.map((_, n) => (n % 10 === call ? 'unregistered' : 'accepted')));
        const { accepted } = harness.books(`alert-${call}`);
        expect(accepted).toBe(ofCall.filter((outcome) => outcome === 'accepted').length);
      });
    });

    it('sends nothing once aborted, and says what became of what was under way', async () => {
      const aborted = await gateway.send('real', pushMessages(3), AbortSignal.abort());
      expect(aborted).toEqual(Array(3).fill({ outcome: 'retry', code: 'ABORTED' }));
      expect(harness.requests()).toBe(0);

      await harness.mood('slow');
      const abort = new AbortController();
      const sending = gateway.send('real', pushMessages(250), abort.signal);
      await until(() => harness.requests() >= 50);
      abort.abort();
      const counts = tally((await sending).map(named));
      expect(Object.keys(counts).sort()).toEqual(['accepted', 'retry ABORTED']);
      expect(harness.books('alert-1').accepted).toBe(counts['accepted']);
    });

    it.each<Mode>(['demo', 'exercise'])('sends alerts of mode %s to simulated phones', async (mode) => {
      expect(await gateway.send(mode, pushMessages(1))).toEqual([{ outcome: 'accepted' }]);
    });

    it.each<Mode>(['demo', 'exercise'])('keeps real tokens out of mode %s and sends to the others', async (mode) => {
      const messages = pushMessages(30).map((message, n) =>
        n % 3 === 1 ? { ...message, token: `${REAL_TOKEN}-${n}`, alertId: 'alert-of-strangers' } : message,
      );
      const refused = 'rejected REAL_TOKEN_OUTSIDE_REAL_MODE';
      expect((await gateway.send(mode, messages)).map(named)).toEqual(
        messages.map((_, n) => (n % 3 === 1 ? refused : 'accepted')),
      );
      expect(harness.requests()).toBe(20);
      expect(harness.books('alert-1').accepted).toBe(20);
      expect(harness.books('alert-of-strangers').accepted).toBe(0);
      expect((await gateway.send(mode, [pushMessage(1, { token: REAL_TOKEN })])).map(named)).toEqual([refused]);
      expect(harness.requests()).toBe(20);
    });

    it('keeps drills and simulated phones from the provider that reaches people', async () => {
      const people = harness.gatewayToPeople();
      const simulated = await people.send('real', pushMessages(2));
      expect(simulated.map(named)).toEqual(Array(2).fill('rejected SIMULATED_TOKEN_TO_REAL_PROVIDER'));
      for (const mode of ['demo', 'exercise'] as const) {
        const outcomes = await people.send(mode, [pushMessage(1), pushMessage(2, { token: REAL_TOKEN })]);
        expect(outcomes.map(named)).toEqual(Array(2).fill('rejected REAL_PROVIDER_OUTSIDE_REAL_MODE'));
      }
      await people.close();
    });

    it('sends the others where one message cannot even be written down', async () => {
      const messages = pushMessages(6).map((message, n) =>
        n === 3 ? { ...message, expiresAt: new Date(Number.NaN) } : message,
      );
      expect((await gateway.send('real', messages)).map(named)).toEqual(
        messages.map((_, n) => (n === 3 ? 'retry UNEXPECTED' : 'accepted')),
      );
      expect(harness.books('alert-1').accepted).toBe(5);
    });

    it('finishes what is under way when closed, takes nothing more and leaves nothing open', async () => {
      await harness.mood('slow');
      const sending = kinds(pushMessages(50));
      await until(() => harness.requests() === 50);
      await Promise.all([gateway.close(), gateway.close()]);
      expect(await sending).toEqual(Array(50).fill('accepted'));
      expect(await gateway.send('real', pushMessages(1))).toEqual([{ outcome: 'retry', code: 'CLOSED' }]);
      await until(() => harness.books('alert-1').openConnections === 0);
    });
  });
}
