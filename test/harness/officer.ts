import type { LonLat } from '#geo';
import type { Login } from '../hostile/services.ts';

/** A case handed to the verifiers. */
export interface Filed {
  readonly caseId: string;
  readonly version: string;
}

/** An answer that is not the one asked for. */
export class Answered extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'Answered';
    this.status = status;
  }
}

/** A signed-in officer, over HTTP as from a console. What is answered with an error is thrown as {@link Answered}. */
export class Officer {
  readonly #url: string;
  readonly #cookie: string;
  readonly #patienceMs: number;

  private constructor(url: string, cookie: string, patienceMs: number) {
    this.#url = url;
    this.#cookie = cookie;
    this.#patienceMs = patienceMs;
  }

  /** @param patienceMs how long any answer is waited for */
  static async signIn(url: string, { login, password }: Login, patienceMs = 300_000): Promise<Officer> {
    const answer = await request(url, 'POST', '/v1/session', { body: { login, password }, patienceMs });
    const cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0];
    if (!answer.ok || cookie === undefined) throw new Answered(answer.status, `${login} could not sign in`);
    return new Officer(url, cookie, patienceMs);
  }

  async file(center: LonLat, radiusM: number): Promise<Filed> {
    const { id } = await this.#call<{ id: string }>('POST', '/v1/cases', submission(center, radiusM));
    await this.#call('POST', `/v1/cases/${id}/submit`);
    return { caseId: id, version: (await this.#call<{ version: string }>('GET', `/v1/cases/${id}`)).version };
  }

  approve({ caseId, version }: Filed): Promise<{ readonly alertId: string; readonly targeted: number }> {
    return this.#call('POST', `/v1/cases/${caseId}/verify`, { version });
  }

  async hold(alertId: string): Promise<void> {
    await this.#call('POST', `/v1/alerts/${alertId}/hold`, { reason: 'wrong_facts' });
  }

  async stop(alertId: string): Promise<void> {
    await this.#call('POST', `/v1/alerts/${alertId}/stop`);
  }

  /** Asks that a held alert goes on. @returns the change, for another officer to approve */
  proposeResume(alertId: string): Promise<string> {
    return this.#propose(alertId, { kind: 'resume' });
  }

  /** Asks that everyone who was asked is told the texts again, as an update. @returns the change, for another officer to approve */
  proposeTexts(alertId: string): Promise<string> {
    return this.#propose(alertId, { kind: 'texts', texts: NEWS });
  }

  /** Approves a change as it is now. */
  async approveChange(alertId: string, changeId: string): Promise<void> {
    const changes = `/v1/alerts/${alertId}/changes`;
    const listed = await this.#call<{ changes: { id: string; version: string }[] }>('GET', changes);
    const { version } = listed.changes.find(({ id }) => id === changeId) ?? {};
    await this.#call('POST', `${changes}/${changeId}/approve`, { version });
  }

  /** Things whose acts wait for a review. */
  async toReview(): Promise<readonly { readonly act: string; readonly thing: string }[]> {
    return (await this.#call<{ reviews: { act: string; thing: string }[] }>('GET', '/v1/reviews')).reviews;
  }

  async endFound(alertId: string): Promise<void> {
    const end = { kind: 'found', ending: 'safe', familyTold: true, outcome: 'safe', cause: 'direct' };
    await this.#call('POST', `/v1/alerts/${alertId}/end`, end);
  }

  async endCancelled(alertId: string): Promise<void> {
    const end = { kind: 'cancel', ending: 'ended', familyTold: false, outcome: 'unfounded', cause: 'none' };
    await this.#call('POST', `/v1/alerts/${alertId}/end`, end);
  }

  /** Closes a case whose alert has ended by itself. */
  async close(caseId: string): Promise<void> {
    await this.#call('POST', `/v1/cases/${caseId}/close`, { outcome: 'not_found', cause: 'none' });
  }

  async #propose(alertId: string, change: unknown): Promise<string> {
    return (await this.#call<{ id: string }>('POST', `/v1/alerts/${alertId}/changes`, change)).id;
  }

  async #call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = { cookie: this.#cookie };
    const answer = await request(this.#url, method, path, { body, headers, patienceMs: this.#patienceMs });
    const said = await answer.text();
    if (!answer.ok) throw new Answered(answer.status, `${method} ${path} was answered ${answer.status}: ${said}`);
    return (said === '' ? undefined : JSON.parse(said)) as Answer;
  }
}

interface Asking {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly patienceMs: number;
}

function request(url: string, method: string, path: string, asking: Asking): Promise<Response> {
  const { body, headers = {}, patienceMs } = asking;
  const signal = AbortSignal.timeout(patienceMs);
  if (body === undefined) return fetch(new URL(path, url), { method, headers, signal });
  const typed = { ...headers, 'content-type': 'application/json' };
  return fetch(new URL(path, url), { method, headers: typed, body: JSON.stringify(body), signal });
}

const HOUR_MS = 3_600_000;

/** What the public is told of the invented child: of the length that real alerts have. */
export const TEXTS = {
  'zh-CN': {
    title: '寻找 6 岁女孩小满',
    body: '今晚在公园南门走失。身高约 1.15 米，短发，黄色雨衣，红色小书包，左耳戴助听器。',
  },
  en: {
    title: 'Missing: Xiaoman, girl, 6',
    body: 'Lost this evening near the south gate of the park. About 1.15 m, short hair, yellow raincoat, small red school bag, hearing aid in her left ear.',
  },
};

/** What an update tells. */
const NEWS = {
  'zh-CN': { ...TEXTS['zh-CN'], body: `${TEXTS['zh-CN'].body}最后在河边见到。` },
  en: { ...TEXTS.en, body: `${TEXTS.en.body} Last seen by the river.` },
};

function submission([lon, lat]: LonLat, radiusM: number) {
  const point = { lon, lat, datum: 'wgs84' };
  const until = new Date(Date.now() - HOUR_MS).toISOString();
  return {
    case: {
      type: 'lost',
      name: '测试·小满',
      ageYears: 6,
      lastSeen: { until, place: '公园南门', point },
      consent: { given: 'guardian', reason: null },
      custodyOrderChecked: true,
      publicity: 'safe',
    },
    alert: {
      tier: 'critical',
      area: { kind: 'circle', center: point, radiusM },
      place: { 'zh-CN': '公园', en: 'The park' },
      photoId: null,
      hours: 24,
      texts: TEXTS,
    },
  };
}
