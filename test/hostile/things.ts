import { randomUUID } from 'node:crypto';
import { canary, type Owner } from './canary.ts';
import type { Client } from './client.ts';
import type { Services } from './services.ts';
import { type Caller, freshAddress, json, told, signIn } from './staff.ts';

/** Real places; the jurisdictions around them do not meet, but for those above and below. */
export const PLACES: Readonly<Record<Owner, readonly [number, number]>> = {
  home: [114.06, 22.54],
  child: [114.06, 22.54],
  parent: [114.06, 22.54],
  foreign: [120.2, 30.25],
  spare: [104.07, 30.67],
  device: [114.07, 22.55],
};

export const CASE_STATES = ['draft', 'submitted', 'returned', 'live', 'closed'] as const;
export type CaseState = (typeof CASE_STATES)[number];

export const isCaseState = (kind: ThingKind): kind is CaseState => (CASE_STATES as readonly string[]).includes(kind);

/** A case in a state, or what `{id}` names by itself. */
export type ThingKind = CaseState | 'officer' | 'agency' | 'grant' | 'review' | 'ask' | 'change';

/** A case and what belongs to it, by what an address may name. */
export interface Thing {
  readonly owner: Owner;
  readonly caseId: string;
  readonly reference: string;
  readonly photoId: string;
  readonly version: string;
  readonly alertId: string;
  readonly slug: string;
  readonly sightingId: string;
  /** The reference in the push to the first recipient; of a case that went out. */
  readonly ref: string;
  /** The token of that recipient's forward link. */
  readonly forward: string;
  /** A change proposed for the alert. */
  readonly changeId?: string;
  /** What `{id}` names, where it is none of these. */
  readonly id?: string;
}

/** Names of nothing. */
export const noThing = (owner: Owner = 'home'): Thing => ({
  ...{ owner, caseId: randomUUID(), photoId: randomUUID(), alertId: randomUUID(), sightingId: randomUUID() },
  ...{ slug: 'AAAAAAAAAAAA', version: '0'.repeat(64), reference: 'G72-0000-0000', ...unsent() },
});

/** The officers who make an agency's things. */
export interface Makers {
  readonly owner: Owner;
  readonly liaison: Caller;
  readonly verifier: Caller;
  readonly administrator: Caller;
  readonly agencyId: string;
  readonly place: readonly [number, number];
}

const HOUR_MS = 3_600_000;
const text = (owner: Owner) => (field: string) => canary(owner, field);

/** A complete submission whose every private field is its agency's canary; what the public is told is not. */
export function submission(
  { owner, place }: Pick<Makers, 'owner' | 'place'>,
  photoId: string | null = null,
  radiusM = 20_000,
) {
  const secret = text(owner);
  const point = { lon: place[0], lat: place[1], datum: 'wgs84' };
  const words = (words: string) => ({ title: 'Missing child', body: words });
  return {
    case: {
      type: 'runaway',
      name: secret('name'),
      ageYears: 7,
      looks: secret('looks'),
      clothes: secret('clothes'),
      needs: secret('needs'),
      circumstances: secret('circumstances'),
      lastSeen: { until: new Date(Date.now() - HOUR_MS).toISOString(), place: secret('place'), point },
      ...CONSENT,
    },
    alert: {
      tier: 'critical',
      area: { kind: 'circle', center: point, radiusM },
      place: { 'zh-CN': '深圳', en: 'Shenzhen' },
      photoId,
      hours: 24,
      texts: { 'zh-CN': words('七岁,黄色雨衣。'), en: words('Seven years old, yellow raincoat.') },
    },
  };
}

/** What a submission must answer before it goes to the verifiers. */
const CONSENT = {
  consent: { given: 'guardian', reason: null },
  custodyOrderChecked: true,
  publicity: 'safe',
};

/** A small JPEG of no one; every call gives other bytes. */
export async function picture(): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  const background = { r: rgb(), g: rgb(), b: rgb() };
  return sharp({ create: { width: 24, height: 24, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

const rgb = () => Math.floor(Math.random() * 256);

/** A form with one file and some fields (RFC 7578). */
export function form(file: Buffer, fields: Readonly<Record<string, string>> = {}, name = 'photo') {
  const boundary = `hostile-${randomUUID()}`;
  const parts = Object.entries(fields).map(
    ([key, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="p.jpg"\r\ncontent-type: image/jpeg\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(parts.join('') + head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { type: `multipart/form-data; boundary=${boundary}`, body };
}

/** Makes a case and takes it to a state, by the api alone: as officers, another agency's and the public do. */
export async function makeCase(client: Client, services: Services, makers: Makers, state: CaseState): Promise<Thing> {
  const maker = new ThingMaker(client, makers);
  const caseId = await maker.file();
  const photoId = await maker.addPhoto(caseId);
  await maker.ask(makers.liaison, 'PUT', `/v1/cases/${caseId}`, submission(makers, photoId), 204);
  if (state !== 'draft') await maker.ask(makers.liaison, 'POST', `/v1/cases/${caseId}/submit`, undefined, 204);
  const read = await maker.read(caseId);
  const things = { owner: makers.owner, caseId, photoId, reference: read.reference, version: read.version };
  const proposed = { ...things, alertId: read.alert.id, slug: read.alert.slug, ...unsent() };
  if (state === 'returned') {
    const reason = canary(makers.owner, 'reason');
    await maker.ask(makers.verifier, 'POST', `/v1/cases/${caseId}/return`, { reason }, 204);
  }
  if (state !== 'live' && state !== 'closed') return proposed;
  await maker.ask(makers.verifier, 'POST', `/v1/cases/${caseId}/verify`, { version: read.version }, 200);
  const ref = (await services.reference(read.alert.id)) ?? unsent().ref;
  const sightingId = await maker.sighting(read.alert.slug, ref);
  const live = { ...proposed, sightingId, ref, forward: await maker.forward(ref) };
  if (state === 'closed') {
    const end = { kind: 'found', outcome: 'safe', cause: 'none' };
    await maker.ask(makers.verifier, 'POST', `/v1/alerts/${read.alert.id}/end`, end, 204);
  }
  return live;
}

/** What a case lacks that never went out. */
function unsent() {
  return { sightingId: randomUUID(), ref: 'A'.repeat(22), forward: 'A'.repeat(22) };
}

interface CaseRead {
  readonly reference: string;
  readonly version: string;
  readonly alert: { readonly id: string; readonly slug: string };
}

export class ThingMaker {
  private readonly client: Client;
  private readonly makers: Makers;

  constructor(client: Client, makers: Makers) {
    this.client = client;
    this.makers = makers;
  }

  async ask<Body>(by: Caller, method: string, path: string, body: unknown, status: number): Promise<Body> {
    const send = () => this.client.send(json(method, path, body, by.credential));
    let answer = await send();
    // Whoever makes things works for longer than a proof of who they are lasts.
    if (answer.status === 403 && answer.body.includes('step_up_required')) {
      await signIn(this.client, by);
      answer = await send();
    }
    return told<Body>(answer, status);
  }

  async file(): Promise<string> {
    const { liaison } = this.makers;
    return (await this.ask<{ id: string }>(liaison, 'POST', '/v1/cases', submission(this.makers), 201)).id;
  }

  async addPhoto(caseId: string): Promise<string> {
    const { type, body } = form(await picture());
    const headers = { 'content-type': type, 'x-forwarded-for': freshAddress(), ...this.makers.liaison.credential };
    const answer = await this.client.send({ method: 'POST', path: `/v1/cases/${caseId}/photos`, headers, body });
    return told<{ id: string }>(answer, 201).id;
  }

  read(caseId: string): Promise<CaseRead> {
    return this.ask(this.makers.liaison, 'GET', `/v1/cases/${caseId}`, undefined, 200);
  }

  async sighting(slug: string, ref: string): Promise<string> {
    const secret = text(this.makers.owner);
    const sighting = { words: secret('tip'), placeWords: secret('tip-place'), contact: secret('contact'), ref };
    const { type, body } = form(await picture(), { sighting: JSON.stringify(sighting) });
    const headers = { 'content-type': type, 'x-forwarded-for': freshAddress() };
    const answer = await this.client.send({ method: 'POST', path: `/v1/alerts/${slug}/sightings`, headers, body });
    return told<{ id: string }>(answer, 201).id;
  }

  async forward(ref: string): Promise<string> {
    const answer = await this.client.send(json('POST', '/v1/forwards', { ref }));
    return told<{ token: string }>(answer, 200).token;
  }
}
