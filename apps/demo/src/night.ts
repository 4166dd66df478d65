import { setTimeout as pause } from 'node:timers/promises';
import { type Books, type Check, checksOf } from './books.ts';
import { coarsen } from '#geo';
import { LAST_SEEN, report } from './child.ts';
import { Client } from './client.ts';
import type { City } from './city.ts';
import type { Band, Ledger } from './ledger.ts';
import type { Narrator } from './narrator.ts';
import { drawPortrait } from './portrait.ts';
import { SimulatorBooks } from './simulator.ts';
import type { SignIn } from './staff.ts';

const RING_M = 120_000;
/** Rows of the picture: 12 of 10 km, five bands each. */
const ROWS = 12;
const BANDS_A_ROW = 5;
const POLL_MS = 200;
/** Phones that register over the api like every app, and leave before the end. */
export const VISITORS = 3;

interface Released {
  readonly alertId: string;
  readonly slug: string;
  readonly targeted: number;
}

interface Tip {
  readonly id: string;
  readonly words: string;
  readonly source: string;
}

export interface NightReport {
  readonly books: Books;
  readonly checks: readonly Check[];
  readonly slug: string;
}

/** The whole job, once, over the same addresses that officers, phones and passers-by use. */
export class Night {
  private readonly simulator: SimulatorBooks;
  private readonly client: Client;

  constructor(
    private readonly city: City,
    private readonly ledger: Ledger,
    private readonly narrator: Narrator,
    private readonly signIns: readonly SignIn[],
    private readonly devices: number,
  ) {
    this.simulator = new SimulatorBooks(city.simulator.control);
    this.client = new Client(city.api);
  }

  async run(): Promise<NightReport> {
    const visitors = await this.registerVisitors();
    const [liaison, verifier] = [await this.officer('lin.chen'), await this.officer('jing.wu')];
    const caseId = await this.file(liaison);
    const { released, approvedAt, oracleAudience } = await this.verify(liaison, verifier, caseId);
    await this.watch(released.alertId, 'ring', 'alert');
    await this.listen(liaison, caseId, released.alertId);
    await this.leave(visitors);
    await this.find(liaison, released);
    const analyst = await this.officer('ming.he');
    const { cause } = await analyst.call<{ cause: string }>('GET', `/v1/cases/${caseId}/funnel`);
    return this.balance(released, approvedAt, oracleAudience, cause);
  }

  private async officer(login: string): Promise<Client> {
    const signIn = this.signIns.find((one) => one.login === login);
    if (!signIn) throw new Error(`nobody is called ${login}`);
    return this.client.signIn(signIn);
  }

  /** Three phones that register like every app, and will leave before the end. */
  private async registerVisitors(): Promise<Client[]> {
    const [lon, lat] = LAST_SEEN;
    return Promise.all(
      Array.from({ length: VISITORS }, async (_, n) => {
        const body = { platform: 'android', token: `sim:visitor-${n}`, language: 'en' };
        const { secret } = await this.client.call<{ secret: string }>('POST', '/v1/devices', body);
        const phone = this.client.as(secret);
        await phone.call('PUT', '/v1/devices/me/position', { place: { lon, lat, datum: 'wgs84' } });
        return phone;
      }),
    );
  }

  private async file(liaison: Client): Promise<string> {
    this.narrator.chapter('A child is missing');
    const { id } = await liaison.call<{ id: string }>('POST', '/v1/cases', report(null));
    const form = new FormData();
    form.set('photo', new Blob([new Uint8Array(await drawPortrait())]), 'photo.jpg');
    const photo = await liaison.call<{ id: string }>('POST', `/v1/cases/${id}/photos`, form);
    await liaison.call('PUT', `/v1/cases/${id}`, report(photo.id));
    this.narrator.say(
      '陈琳 (liaison) files the case of a girl of 6, last seen in Lianhuashan Park, Shenzhen, with a photo.',
    );
    const preview = await liaison.call<{ reached: number | null; minutesAtQuota: number | null }>(
      'GET',
      `/v1/cases/${id}/preview`,
    );
    this.narrator.say(
      `The preview says: about ${preview.reached ?? 'fewer than 10'} phones within 120 km, ${preview.minutesAtQuota ?? '–'} min at the quota.`,
    );
    await liaison.call('POST', `/v1/cases/${id}/submit`);
    return id;
  }

  private async verify(liaison: Client, verifier: Client, caseId: string) {
    const path = `/v1/cases/${caseId}`;
    const own = await liaison.call<{ version: string }>('GET', path);
    const code = await liaison.refusal('POST', `${path}/verify`, { version: own.version });
    if (code !== 'verifier_is_author') throw new Error(`the submitter’s own verification was answered ${code}`);
    this.narrator.say(`陈琳 tries to verify it herself: refused (${code}).`);
    const seen = await verifier.call<{ version: string }>('GET', path);
    const oracleAudience = await this.ledger.oracle(coarsen(LAST_SEEN), RING_M);
    const approvedAt = Date.now();
    const released = await verifier.call<Released>('POST', `${path}/verify`, { version: seen.version });
    this.narrator.say(
      `吴静 (verifier) verifies the version she read: live in ${Date.now() - approvedAt} ms, ${released.targeted} phones to ask.`,
    );
    this.narrator.say(`Its page: ${this.city.publicPage}/a/${released.slug}`);
    return { released, approvedAt, oracleAudience };
  }

  /** Shows the bands filling until the ledger says that every wave is settled. */
  private async watch(alertId: string, audience: 'ring' | 'notified', kind: 'alert' | 'found'): Promise<void> {
    this.narrator.chapter(
      kind === 'alert' ? 'Everyone nearby is asked, nearest first' : 'Everyone who was asked is told',
    );
    const totals = byRow(await this.ledger.bands(alertId, audience), 'recipients');
    const rings = this.narrator.rings(totals.map((total, row) => ({ label: labelOf(row), total })));
    for (let settled = false; !settled;) {
      settled = await this.ledger.isSettled(alertId);
      rings.update(byRow(await this.ledger.bands(alertId, audience), 'done'));
      if (!settled) await pause(POLL_MS);
    }
    rings.stop();
  }

  private async listen(liaison: Client, caseId: string, alertId: string): Promise<void> {
    this.narrator.chapter('People answer');
    const call = { words: '便利店店员来电：女孩在店里避雨，穿黄色雨衣。', placeWords: '红荔路便利店' };
    await liaison.call('POST', `/v1/cases/${caseId}/sightings`, call);
    await this.simulator.drain();
    const { received, opened, forwards, views } = await this.ledger.engagement(alertId);
    this.narrator.say(
      `${received} phones received it, ${opened} people opened it, ${forwards} sent it on, ${views} came by a link.`,
    );
    const { sightings } = await liaison.call<{ sightings: Tip[] }>('GET', `/v1/cases/${caseId}/sightings`);
    this.narrator.say(`${sightings.length} tips came in, one of them by phone:`);
    this.narrator.list(sightings.map((tip) => `${tip.source === 'phone' ? 'by phone' : 'app     '}  ${tip.words}`));
    const hoax = sightings.find((tip) => tip.words.includes('flying saucer'));
    const real = sightings.find((tip) => tip.source === 'phone');
    if (!hoax || !real) throw new Error('the hoax or the tip by phone is not in the list');
    await liaison.call('POST', `/v1/sightings/${hoax.id}/triage`, { to: 'dismissed', dismissal: 'hoax' });
    this.narrator.say('陈琳 dismisses the flying saucer as a hoax.');
    await liaison.call('POST', `/v1/sightings/${real.id}/triage`, { to: 'following' });
    await liaison.call('POST', `/v1/sightings/${real.id}/triage`, { to: 'confirmed' });
    this.narrator.say('A patrol follows the tip by phone, and confirms it: she is in the shop.');
  }

  private async leave(visitors: readonly Client[]): Promise<void> {
    for (const phone of visitors) await phone.call('DELETE', '/v1/devices/me');
    this.narrator.say(`${visitors.length} phones leave Golden72 and are forgotten at once.`);
  }

  private async find(liaison: Client, { alertId, slug }: Released): Promise<void> {
    const photo = `${this.city.publicPage}/a/${slug}/photo.jpg`;
    const before = await fetch(photo);
    const end = { kind: 'found', ending: 'safe', familyTold: true, outcome: 'safe', cause: 'direct' };
    await liaison.call('POST', `/v1/alerts/${alertId}/end`, end);
    this.narrator.chapter('Found');
    this.narrator.say('The family is told first; then 陈琳 ends the alert: the child is safe.');
    await this.watch(alertId, 'notified', 'found');
    await this.simulator.drain();
    const after = await fetch(photo);
    this.narrator.say(`The public photo answered ${before.status} before and answers ${after.status} now.`);
    if (before.status !== 200 || after.status !== 410) throw new Error('the public photo did not go with the ending');
  }

  private async balance(
    { alertId, slug }: Released,
    approvedAt: number,
    oracleAudience: number,
    cause: string,
  ): Promise<NightReport> {
    const [ring, found] = [await this.ledger.books(alertId, 'ring'), await this.ledger.books(alertId, 'notified')];
    const { byKind } = await this.simulator.stats(alertId);
    const left = await this.ledger.left(alertId);
    const since = (at: number | null | undefined) => (at == null ? null : at - approvedAt);
    const { pending: _, ...asked } = ring;
    const books: Books = {
      devices: this.devices,
      oracleAudience,
      ...asked,
      simulatorAccepted: byKind['alert']?.accepted ?? 0,
      ...(await this.ledger.engagement(alertId)),
      foundTargeted: found.targeted,
      foundAccepted: found.accepted,
      simulatorFoundAccepted: byKind['found']?.accepted ?? 0,
      firstPushMs: since(byKind['alert']?.firstAcceptedAt),
      lastPushMs: since(byKind['alert']?.lastAcceptedAt),
      outcome: cause,
    };
    return { books, checks: checksOf(books, ring, found, left), slug };
  }
}

const labelOf = (row: number) => `${String(row * 10).padStart(3)}–${String(row * 10 + 10).padEnd(3)} km`;

/** Sums bands into the picture's rows; what lies beyond the last row counts there. */
function byRow(bands: readonly Band[], count: 'recipients' | 'done'): number[] {
  const rows = Array<number>(ROWS).fill(0);
  for (const band of bands) {
    const row = Math.min(ROWS - 1, Math.floor(band.band / BANDS_A_ROW));
    rows[row] = (rows[row] ?? 0) + band[count];
  }
  return rows;
}
