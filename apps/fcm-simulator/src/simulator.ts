/** Stands in for Google and for the phones, in this process: see the README beside. */
import type { Actions } from './actions.ts';
import { Arrivals } from './arrivals.ts';
import { Away } from './away.ts';
import { Bearers } from './bearers.ts';
import { certificateIn } from './certificate.ts';
import { ControlListener } from './control-listener.ts';
import type { Desk } from './exchange.ts';
import { FcmListener } from './fcm-listener.ts';
import { readPayload } from './payload.ts';
import { PhoneBook } from './phone-book.ts';
import { Phones } from './phones.ts';
import { seededRandom } from './random.ts';
import { changeSettings, DEFAULT_SETTINGS, type SettingsPatch } from './settings.ts';
import { Tally } from './tally.ts';
import { Verdicts } from './verdicts.ts';

export type { Settings, SettingsPatch } from './settings.ts';

export interface SimulatorOptions {
  /** Directory for the certificate and the credentials; made when missing. */
  readonly dir: string;
  /** Port of the FCM listener; 0, the default, takes a free one. */
  readonly port?: number;
  readonly controlPort?: number;
  /** Base URL of the api the phones talk to; without it they only count. */
  readonly apiUrl?: string | undefined;
  readonly project?: string;
  readonly seed?: number;
  readonly settings?: SettingsPatch;
  /** Keeps every arrival for {@link Actions.arrivals}: a few hundred bytes each. */
  readonly keepArrivals?: boolean;
}

export interface Simulator extends Actions {
  /** https://localhost:port, to be FCM_ENDPOINT. */
  readonly fcmUrl: string;
  /** http://127.0.0.1:port. */
  readonly controlUrl: string;
  /** PEM, to be FCM_CA. */
  readonly caPath: string;
  /** To be GOOGLE_APPLICATION_CREDENTIALS. */
  readonly credentialsPath: string;
  /** To be FCM_PROJECT_ID. */
  readonly project: string;
  /** Ends everything it started. */
  close(): Promise<void>;
}

/** Starts both listeners on 127.0.0.1. @throws SettingsError, or when a port is taken or openssl is missing. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const seed = options.seed ?? 72;
  const project = options.project ?? 'golden72-sim';
  const random = seededRandom(seed);
  let settings = changeSettings(DEFAULT_SETTINGS, options.settings ?? {});
  const tls = await certificateIn(options.dir);
  const [tally, book, bearers] = [new Tally(), new PhoneBook(), new Bearers()];
  const verdicts = new Verdicts(settings, bearers, random, seed);
  const phones = new Phones({ book, tally, settings: settings.phones, random, seed, apiUrl: options.apiUrl });
  const arrivals = options.keepArrivals === true ? new Arrivals() : undefined;
  const away = new Away(({ entry }) => tally.phone(book.alertOf(entry), 'offline'));
  const started = Date.now();
  let names = 0;
  const desk: Desk = {
    path: `/v1/projects/${project}/messages:send`,
    project,
    tally,
    verdicts,
    // Squared: most draws lie near the lower end, with a tail to the upper.
    latencyMs: () => settings.latencyMs.min + (settings.latencyMs.max - settings.latencyMs.min) * random() ** 2,
    retryAfterSeconds: () => settings.retryAfterSeconds,
    nextName: () => `0:${started}%${(++names).toString(16).padStart(8, '0')}`,
    deliver: (request, answered) => {
      const payload = readPayload(request.data);
      const arrival = book.arrive(request.token, payload);
      const now = Date.now();
      tally.delivered(payload, arrival, answered, now);
      arrivals?.keep(request, payload, answered, now);
      if (!away.keep(request.token, request.collapseKey, arrival.delivery)) phones.deliver(arrival.delivery);
    },
  };
  const fcm = new FcmListener(desk, tally, tls, settings);

  const actions: Actions = {
    stats: () => tally.stats(),
    alertStats: (alert) => tally.alertStats(alert),
    timeline: (alert, kind = 'alert') => tally.timeline(alert, kind),
    settings: () => settings,
    configure: async (patch) => {
      settings = changeSettings(settings, patch);
      verdicts.configure(settings);
      phones.configure(settings.phones);
      await fcm.configure(settings);
      return settings;
    },
    drain: async (timeoutMs = 60_000) => ({ drained: await phones.drain(timeoutMs), pending: phones.pending }),
    arrivals: (alert) => arrivals?.of(alert),
    shownBy: (token) => book.shownBy(token),
    switchPhone: (token, on) => {
      if (!on) away.leave(token);
      else for (const delivery of away.comeBack(token)) phones.deliver(delivery);
    },
    setTokenState: (token, state) => verdicts.setTokenState(token, state),
    issueBearer: () => bearers.issue(settings.tokenLifetimeSeconds),
    revokeBearers: () => bearers.revokeAll(),
    dropSessions: () => fcm.dropSessions(),
  };
  const control = new ControlListener(actions, bearers, project);
  const close = async (): Promise<void> => {
    phones.close();
    await Promise.all([fcm.close(), control.close()]);
  };
  try {
    const port = await fcm.listen(options.port ?? 0);
    const controlUrl = `http://127.0.0.1:${await control.listen(options.controlPort ?? 0)}`;
    if (settings.down === 'refuse') await fcm.close();
    return {
      ...actions,
      fcmUrl: `https://localhost:${port}`,
      controlUrl,
      caPath: tls.caPath,
      credentialsPath: await bearers.writeCredentials(options.dir, controlUrl),
      project,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
