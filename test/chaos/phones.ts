import { audit } from './books.ts';
import { TOWN } from './population.ts';
import { type Scenario, verdict } from './scenario.ts';
import type { Released, Stage } from './stage.ts';
import { waveUnder } from './wave-fault.ts';

/** The alert is this long on its way to the phones; its ending overtakes it. */
const SLOW_MS = 20_000;
const LOOKED_AT = 200;

export const phones: readonly Scenario[] = [
  waveUnder({
    name: 'found-before-alert',
    breaks: 'phones get the news that the child is found before the alert itself',
    ends: true,
    arrange: (stage) => deliverWithin(stage, SLOW_MS),
    strike: async (stage, { alertId }) => {
      await deliverWithin(stage, 0);
      await (await stage.officers()).verifier.endFound(alertId);
    },
    after: async (stage, { alertId }) => {
      await stage.simulator.drain();
      const { phones: told } = await stage.simulator.alert(alertId);
      const arrivals = await stage.simulator.arrivals(alertId);
      const asked = [...new Set(arrivals.map(({ token }) => token))].slice(0, LOOKED_AT);
      const shown = await Promise.all(asked.map((token) => shownOf(stage, token, alertId)));
      const wrong = shown.filter((kinds) => kinds.join() !== 'found');
      return [
        ...(told.ignoredStale > 0 ? [] : ['no alert came after its ending']),
        ...(wrong.length > 0 ? [`${wrong.length} phones show ${[...new Set(wrong.map(String))].join(' | ')}`] : []),
      ];
    },
  }),
  {
    name: 'five-alerts-to-one-phone',
    breaks: 'a phone is off while five alerts and the ending of one are sent: FCM keeps four collapse keys for it',
    spoils: true,
    run: fiveAlerts,
  },
];

const deliverWithin = (stage: Stage, ms: number) =>
  stage.simulator.configure({ phones: { deliveryMs: { min: ms, max: ms } } });

async function shownOf(stage: Stage, token: string, alertId: string): Promise<string[]> {
  return (await stage.simulator.shownBy(token)).filter(({ alert }) => alert === alertId).map(({ kind }) => kind);
}

const ALERTS = 5;
const FCM_KEEPS = 4;
const SMALL_PHONES = 300;
const SETTLED_MS = 60_000;

/** Of those four, the phone shows the newest message; the fifth is on its page and no worse than never sent. */
async function fiveAlerts(stage: Stage) {
  const radiusM = await stage.ledger.radiusOf(TOWN, SMALL_PHONES);
  const audience = await stage.ledger.audience(TOWN, radiusM);
  const [token = ''] = audience.values();
  await stage.simulator.switchPhone(token, false);
  const alerts: Released[] = [];
  for (let n = 0; n < ALERTS; n++) alerts.push(await stage.release(await stage.file(radiusM)));
  for (const { alertId } of alerts) await stage.until(() => stage.ledger.settledAt(alertId), SETTLED_MS);
  const ended = alerts[2] as Released;
  await (await stage.officers()).verifier.endFound(ended.alertId);
  await stage.until(() => stage.ledger.settledAt(ended.alertId), SETTLED_MS);
  await stage.simulator.switchPhone(token, true);
  await stage.simulator.drain();

  const ours = new Set(alerts.map(({ alertId }) => alertId));
  const shown = (await stage.simulator.shownBy(token)).filter(({ alert }) => ours.has(alert));
  const books = await Promise.all(
    alerts.map(async ({ alertId }) => {
      const [booked, arrivals] = [await stage.ledger.recipients(alertId), await stage.simulator.arrivals(alertId)];
      return audit({ alertId, audience, booked, arrivals, untouched: alertId !== ended.alertId });
    }),
  );
  const lost = books.flatMap((each) => each.lost);
  const duplicates = books.reduce((sum, each) => sum + each.duplicates, 0);
  const faults = [
    ...lost,
    ...(duplicates > 0 ? [`${duplicates} duplicates`] : []),
    ...(shown.length === FCM_KEEPS ? [] : [`the phone shows ${shown.length} alerts`]),
    ...(new Set(shown.map(({ alert }) => alert)).size === shown.length ? [] : ['the phone shows an alert twice']),
    ...(shown.find(({ alert }) => alert === ended.alertId)?.kind === 'found'
      ? []
      : ['the phone does not show the ending']),
  ];
  const targeted = audience.size * ALERTS;
  return verdict({ targeted, lost: lost.length, duplicates, bound: 0, recoveredMs: null }, faults);
}
