import type { SettingsPatch } from '../../apps/fcm-simulator/src/settings.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { type Wave, type WaveFault, waveUnder } from './wave-fault.ts';

/** A fault that slows a wave lasts until so much of it is settled, or so long. */
const LASTS = { share: 0.7, ms: 20_000 } as const;
const DOWN_MS = 60_000;
const DROPS = 5;
const BETWEEN_DROPS_MS = 500;
/** Messages a minute: a tenth of what the wave is paced to. */
const TENTH_OF_QUOTA = 900;

export const provider: readonly Scenario[] = [
  waveUnder({
    name: 'fcm-503',
    breaks: 'FCM answers 5 % with 503',
    short: true,
    strike: behaving({ faults: { unavailable: 0.05 } }),
    bit: ({ provider: { errors } }) => errors('UNAVAILABLE') > 0,
  }),
  waveUnder({
    name: 'fcm-429',
    breaks: 'FCM answers 5 % with 429 and Retry-After',
    strike: behaving({ faults: { quota429: 0.05 } }),
    bit: ({ provider: { errors } }) => errors('QUOTA_EXCEEDED') > 0,
  }),
  waveUnder({
    name: 'fcm-timeouts',
    breaks: 'FCM never answers 2 %',
    strike: behaving({ faults: { timeout: 0.02 } }),
    bit: ({ provider: { unanswered } }) => unanswered.timeout + unanswered.aborted > 0,
  }),
  waveUnder({
    name: 'fcm-malformed',
    breaks: 'FCM answers 5 % with a broken body',
    strike: behaving({ faults: { malformed: 0.05 } }),
    bit: ({ provider: { unanswered } }) => unanswered.malformed > 0,
  }),
  waveUnder({
    name: 'fcm-goaway',
    breaks: 'FCM ends each connection at its 1 000th request (GOAWAY)',
    strike: behaving({ goawayEvery: 1_000 }),
    bit: ({ provider: { goaways } }) => goaways > 0,
  }),
  waveUnder({
    name: 'fcm-goaway-abrupt',
    breaks: 'FCM ends each connection at its 200th request and disowns what came later',
    strike: behaving({ goawayEvery: 200, goawayKind: 'abrupt' }),
    bit: ({ provider: { goaways } }) => goaways > 0,
  }),
  waveUnder({
    name: 'fcm-slow-drip',
    breaks: 'FCM’s answers drip through the network: 2 KB a second and connection',
    strike: async (stage, wave, broken) => {
      const { provider: network } = stage.network;
      network.turn('drip');
      broken();
      await lasts(stage, wave);
      const { connections } = network;
      network.turn('fair');
      // Each worker holds one as long as answers come soon.
      return connections > stage.setting.workers;
    },
  }),
  waveUnder({
    name: 'fcm-sessions-dropped',
    breaks: 'every connection to FCM is cut without a goodbye, five times',
    strike: async (stage, _wave, broken) => {
      for (let n = 0; n < DROPS; n++) {
        await stage.simulator.dropSessions();
        broken();
        await stage.last(BETWEEN_DROPS_MS);
      }
    },
    bit: ({ provider: { unanswered, sessions } }) => unanswered.aborted > 0 && sessions >= DROPS,
  }),
  waveUnder({
    name: 'fcm-down',
    breaks: 'FCM answers everything with 503 for 60 s',
    halts: true,
    strike: async (stage, _wave, broken) => {
      await stage.simulator.configure({ down: true });
      broken();
      await stage.last(DOWN_MS);
      await stage.simulator.configure({ down: false });
    },
    bit: ({ provider: { errors } }) => errors('UNAVAILABLE') > 0,
  }),
  waveUnder({
    name: 'fcm-quota-cut',
    breaks: 'FCM takes a tenth of what the quota says',
    strike: behaving({ quotaPerMinute: TENTH_OF_QUOTA }),
    // The rate comes back as a cube of the seconds, not at once (ADR 19): what is left has to be little enough for half a minute.
    phones: 1_500,
    bit: ({ provider: { errors } }) => errors('QUOTA_EXCEEDED') > 0,
  }),
  waveUnder({
    name: 'fcm-auth-expired',
    breaks: 'the access token is refused in the midst of the wave',
    strike: async (stage) => stage.simulator.revokeBearers(),
    bit: ({ provider: { errors } }) => errors('UNAUTHENTICATED') > 0,
  }),
  {
    ...waveUnder({
      name: 'fcm-unregistered',
      breaks: '10 % of the tokens are dead',
      arrange: (stage) => stage.simulator.configure({ unregisteredRate: 0.1 }),
      strike: async () => undefined,
      bit: ({ provider: { errors } }) => errors('UNREGISTERED') > 0,
      after: async (stage, { alertId }) => {
        const dead = (await stage.ledger.recipients(alertId))
          .filter(({ result }) => result === 'u')
          .map(({ id }) => id);
        const kept = await stage.ledger.query('SELECT 1 FROM devices WHERE id = ANY ($1) AND token IS NOT NULL', [
          dead,
        ]);
        return kept.map(() => 'a dead token is kept');
      },
    }),
    spoils: true,
  },
];

/** FCM behaves in a way for a while. */
function behaving(settings: SettingsPatch): WaveFault['strike'] {
  return async (stage, wave, broken) => {
    await stage.simulator.configure(settings);
    broken();
    await lasts(stage, wave);
    await stage.mendProvider();
  };
}

async function lasts(stage: Stage, { alertId, targeted }: Wave): Promise<void> {
  await stage.until(async () => (await stage.ledger.progress(alertId)).settled > targeted * LASTS.share, LASTS.ms);
}
