import { randomBytes, randomUUID } from 'node:crypto';
import type { Role } from '#access';
import type { Caller } from './staff.ts';
import { form, PLACES, submission, type Thing, type ThingKind } from './things.ts';

/** What a request is made from: who makes it, and about which thing. */
export interface Scene {
  readonly thing: Thing;
  readonly caller: Caller;
  /** A JPEG to upload. */
  readonly picture: Buffer;
}

/** A body that is a form, where others are JSON. */
export class FormBody {
  readonly type: string;
  readonly bytes: Buffer;

  constructor({ type, body }: { type: string; body: Buffer }) {
    this.type = type;
    this.bytes = body;
  }
}

/**
 * Who may call an operation, and how a call looks that is to succeed. This is the whole of the authorisation matrix: an
 * operation without a rule fails the suite, and so does a rule without an operation.
 */
export interface Rule {
  readonly by: 'public' | 'officers' | 'devices' | 'agency_keys';
  /** The status that whoever may is answered with. */
  readonly ok: number;
  /** Officers: who of the thing's agency; nobody but these. Every officer when left out. */
  readonly roles?: readonly Role[];
  /** What the address names, in the state in which this succeeds; it may be a foreign one. */
  readonly on?: ThingKind;
  /** The code for a thing that is not there, and for a foreign one. */
  readonly missing?: string;
  /** Moves the case on, or ends its alert: it gets a case of its own. */
  readonly moves?: boolean;
  /** Reaches more people: needs a fresh proof of who asks. */
  readonly more?: true;
  /** By name, those of the agency who authored the thing: nobody decides their own. */
  readonly barred?: readonly string[];
  /** Ends the caller's session or device, or changes something of their own account. */
  readonly spends?: 'session' | 'account';
  /** Whose thing an officer may also reach: by default verifiers of an agency above. */
  readonly above?: readonly Role[];
  /** By name, the only one of the agency for whom it is there: what one proposed oneself. Others are told this code. */
  readonly mine?: readonly [name: string, otherwise: string];
  /** Open to the public, but of use to officers alone. */
  readonly only?: 'officers';
  readonly body?: (scene: Scene) => unknown;
  readonly headers?: (scene: Scene) => Readonly<Record<string, string>>;
}

const FILES: readonly Role[] = ['liaison'];
const DECIDES: readonly Role[] = ['verifier'];
const WORKS: readonly Role[] = ['liaison', 'verifier'];
const ADMINISTERS: readonly Role[] = ['administrator'];
const CONFIRMS: readonly Role[] = ['administrator', 'verifier'];
const SEES: readonly Role[] = ['analyst', 'liaison', 'verifier'];

const reason = () => ({ reason: 'More is needed.' });
const closing = () => ({ outcome: 'safe', cause: 'none' });
const version = ({ thing }: Scene) => ({ version: thing.version });
const words = () => ({ words: 'A child in a yellow raincoat.', placeWords: 'At the bus stop', contact: null });
const proposal = ({ thing, caller }: Scene) => {
  const whole = submission({ owner: thing.owner, place: PLACES[caller.owner ?? 'home'] }, thing.photoId);
  return { ...whole, case: withoutCanaries(whole.case) };
};
const filed = (scene: Scene) => {
  const whole = proposal(scene);
  return { ...whole, alert: { ...whole.alert, photoId: null } };
};
const position = () => ({ place: { lon: 114.07, lat: 22.55, datum: 'wgs84' } });
const token = () => ({ token: `sim:${randomUUID()}`, language: 'en' });
const signIn = ({ caller: { login } }: Scene) => ({
  login: login?.login ?? 'nobody-we-know',
  password: login?.password ?? randomBytes(12).toString('hex'),
});
const key = () => ({ 'idempotency-key': randomUUID() });
const photo = ({ picture }: Scene) => new FormBody(form(picture));

const proof = ({ caller: { login } }: Scene) => ({ password: login?.password ?? 'none' });
const samePassword = ({ caller: { login } }: Scene) => ({
  present: login?.password ?? 'none',
  next: login?.password ?? randomBytes(18).toString('base64url'),
});
const code = () => ({ code: '123456' });
const invitation = () => ({ secret: 'A'.repeat(43), password: randomBytes(18).toString('base64url') });
const newOfficer = () => ({ login: `new-${randomUUID()}`, name: 'New Officer', roles: ['liaison'] });

/** On a case in a state, for its agency's officers of these roles. */
const onCase = (on: ThingKind, roles: readonly Role[], ok: number, more: Partial<Rule> = {}): Rule => ({
  by: 'officers',
  missing: 'case_not_found',
  ...{ on, roles, ok },
  ...more,
});

const onThing = (
  on: ThingKind,
  missing: string,
  roles: readonly Role[],
  ok: number,
  more: Partial<Rule> = {},
): Rule => ({
  by: 'officers',
  moves: true,
  ...{ on, missing, roles, ok },
  ...more,
});
const onOfficer = (ok: number, more: Partial<Rule> = {}) =>
  onThing('officer', 'officer_not_found', ADMINISTERS, ok, { more: true, ...more });
const onAlert = (on: ThingKind, ok: number, more: Partial<Rule> = {}) =>
  onThing(on, 'alert_not_found', WORKS, ok, more);
const onGrant = (more: Partial<Rule> = {}) =>
  onThing('grant', 'grant_not_found', CONFIRMS, 204, { above: CONFIRMS, ...more });

export const RULES: Readonly<Record<string, Rule>> = {
  'DELETE /v1/devices/me': { by: 'devices', ok: 204, spends: 'session' },
  'PUT /v1/devices/me/position': { by: 'devices', ok: 204, body: position },
  'PUT /v1/devices/me/preferences': { by: 'devices', ok: 204, body: () => ({ optedOut: ['serious'] }) },
  'PUT /v1/devices/me/token': { by: 'devices', ok: 204, body: token },

  'GET /v1/sessions': { by: 'officers', ok: 200 },
  'DELETE /v1/sessions': { by: 'officers', ok: 204, spends: 'account' },
  // One's own alone, whatever the roles: the one named here is nobody's.
  'DELETE /v1/sessions/{id}': { by: 'officers', ok: 404 },
  'POST /v1/session/step-up': { by: 'officers', ok: 204, spends: 'account', body: proof },
  'PUT /v1/password': { by: 'officers', ok: 204, spends: 'account', body: samePassword },
  'POST /v1/invitations/accept': { by: 'public', ok: 401, body: invitation },
  // Nothing was begun that could be confirmed.
  'POST /v1/second-factor/confirm': { by: 'officers', ok: 409, spends: 'account', body: code },
  'POST /v1/second-factor': { by: 'officers', ok: 200, more: true, spends: 'account' },
  'POST /v1/second-factor/recovery-codes': { by: 'officers', ok: 409, more: true, spends: 'account' },
  'DELETE /v1/second-factor': { by: 'officers', ok: 409, more: true, spends: 'account' },
  'GET /v1/oidc/{agencyId}': { by: 'public', ok: 404 },
  'GET /v1/oidc/{agencyId}/callback': { by: 'public', ok: 401 },
  'GET /v1/oidc/step-up': { by: 'officers', ok: 404 },
  'POST /v1/oidc/code': { by: 'public', ok: 401, body: code },

  'GET /v1/officers': { by: 'officers', roles: ADMINISTERS, ok: 200 },
  'POST /v1/officers': { by: 'officers', roles: ADMINISTERS, ok: 201, more: true, spends: 'account', body: newOfficer },
  'PUT /v1/officers/{id}/roles': onOfficer(200, { body: () => ({ roles: [] }) }),
  'POST /v1/officers/{id}/invitation': onOfficer(201),
  'DELETE /v1/officers/{id}/second-factor': onOfficer(200),
  'POST /v1/officers/{id}/freeze': onThing('officer', 'officer_not_found', CONFIRMS, 204),
  'POST /v1/officers/{id}/thaw': onOfficer(204, { above: ADMINISTERS }),
  'POST /v1/agencies/{id}/freeze': onThing('agency', 'agency_not_found', CONFIRMS, 204),
  'POST /v1/agencies/{id}/thaw': onThing('agency', 'agency_not_found', ADMINISTERS, 204, {
    more: true,
    above: ADMINISTERS,
  }),
  'GET /v1/grants': { by: 'officers', roles: CONFIRMS, ok: 200 },
  'POST /v1/grants/{id}/confirm': onGrant({ more: true, barred: ['registrar'] }),
  'POST /v1/grants/{id}/refuse': onGrant(),
  'GET /v1/reviews': { by: 'officers', roles: DECIDES, ok: 200 },
  'POST /v1/reviews/{id}': onThing('review', 'review_not_found', DECIDES, 204, { body: () => ({ verdict: 'upheld' }) }),
  'GET /v1/audit': { by: 'officers', roles: CONFIRMS, ok: 200 },
  'GET /v1/retention': { by: 'officers', roles: CONFIRMS, ok: 200 },
  'GET /v1/asks': { by: 'officers', roles: DECIDES, ok: 200 },
  'POST /v1/asks/{id}/agree': onThing('ask', 'ask_not_found', DECIDES, 204, { body: version, more: true }),
  'POST /v1/asks/{id}/refuse': onThing('ask', 'ask_not_found', DECIDES, 204, { body: () => ({ reason: 'other' }) }),

  'DELETE /v1/session': { by: 'officers', ok: 204, spends: 'session' },
  'GET /v1/session': { by: 'officers', ok: 200 },

  'GET /v1/cases': { by: 'officers', roles: WORKS, ok: 200 },
  'POST /v1/cases': { by: 'officers', roles: FILES, ok: 201, body: filed },
  'GET /v1/cases/{id}': onCase('live', WORKS, 200),
  'PUT /v1/cases/{id}': onCase('draft', FILES, 204, { body: proposal }),
  'POST /v1/cases/{id}/conflicts': onCase('draft', WORKS, 204, { body: () => ({}), moves: true }),
  'POST /v1/cases/{id}/close': onCase('draft', WORKS, 409, { moves: true, body: closing }),
  'GET /v1/cases/{id}/funnel': onCase('live', SEES, 200),
  'POST /v1/cases/{id}/photos': onCase('draft', FILES, 201, { body: photo }),
  'GET /v1/cases/{id}/photos/{photoId}': onCase('live', WORKS, 200),
  'GET /v1/cases/{id}/preview': onCase('draft', WORKS, 200),
  'POST /v1/cases/{id}/reject': onCase('submitted', DECIDES, 204, { moves: true, body: reason, more: true }),
  'POST /v1/cases/{id}/return': onCase('submitted', DECIDES, 204, { moves: true, body: reason, more: true }),
  'GET /v1/cases/{id}/sightings': onCase('live', WORKS, 200),
  'POST /v1/cases/{id}/sightings': onCase('live', WORKS, 201, { body: words }),
  'GET /v1/cases/{id}/sightings/{sightingId}/photo': onCase('live', WORKS, 200),
  'POST /v1/cases/{id}/submit': onCase('draft', FILES, 204, { moves: true }),
  'POST /v1/cases/{id}/verify': onCase('submitted', DECIDES, 200, { moves: true, body: version, more: true }),

  'POST /v1/alerts/{id}/end': onCase('live', WORKS, 204, {
    missing: 'alert_not_found',
    moves: true,
    body: () => ({ kind: 'found', ...closing() }),
  }),
  'POST /v1/alerts/{id}/hold': onAlert('live', 204, { body: () => ({ reason: 'other' }) }),
  'POST /v1/alerts/{id}/stop': onAlert('live', 204),
  'POST /v1/alerts/{id}/ladder/end': onAlert('live', 204),
  'POST /v1/alerts/{id}/photo-down': onAlert('live', 204, { body: () => ({ wrong: true }) }),
  'GET /v1/alerts/{id}/changes': onAlert('change', 200, { moves: false }),
  'POST /v1/alerts/{id}/changes': onAlert('live', 201, { body: () => ({ kind: 'renew', hours: 48 }) }),
  'GET /v1/alerts/{id}/changes/{changeId}/preview': onAlert('change', 422, { moves: false }),
  'POST /v1/alerts/{id}/changes/{changeId}/withdraw': onAlert('change', 204, { mine: ['liaison', 'change_not_found'] }),
  'POST /v1/alerts/{id}/changes/{changeId}/reject': onAlert('change', 204, {
    roles: DECIDES,
    more: true,
    body: reason,
  }),
  'POST /v1/alerts/{id}/changes/{changeId}/approve': onAlert('change', 200, {
    roles: DECIDES,
    more: true,
    body: version,
  }),
  'POST /v1/sightings/{id}/triage': onCase('live', WORKS, 204, {
    missing: 'sighting_not_found',
    moves: true,
    body: () => ({ to: 'following' }),
  }),

  'POST /v1/intake': { by: 'agency_keys', ok: 201, body: filed, headers: key },

  'GET /v1/alerts/{slug}': { by: 'public', on: 'live', missing: 'alert_not_found', ok: 200 },
  'POST /v1/alerts/{slug}/sightings': { by: 'public', on: 'live', missing: 'alert_not_found', ok: 201, body: words },
  'POST /v1/devices': { by: 'public', ok: 201, body: () => ({ platform: 'android', ...token() }) },
  'POST /v1/forwards': { by: 'public', on: 'live', ok: 200, body: ({ thing }) => ({ parent: thing.forward }) },
  'POST /v1/receipts': {
    by: 'public',
    on: 'live',
    ok: 200,
    body: ({ thing }) => ({ items: [{ ref: thing.ref, kind: 'received' }] }),
  },
  'POST /v1/session': { by: 'public', ok: 200, spends: 'session', body: signIn, only: 'officers' },
};

/** Which id of a thing the parameter `{id}` of an address names. */
const IDS: readonly (readonly [prefix: string, of: (thing: Thing) => string])[] = [
  ['/v1/cases/', (thing) => thing.caseId],
  ['/v1/alerts/', (thing) => thing.alertId],
  ['/v1/sightings/', (thing) => thing.sightingId],
];

/** The values of an address's parameters. */
export function parametersOf(rule: Rule, template: string, scene: Scene): Record<string, string> {
  const { slug, photoId, sightingId, changeId = randomUUID() } = scene.thing;
  const named = IDS.find(([prefix]) => template.startsWith(prefix));
  const id = scene.thing.id ?? named?.[1](scene.thing) ?? randomUUID();
  return { id, slug, photoId, sightingId, changeId };
}

export function pathOf(template: string, parameters: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => parameters[name] ?? randomUUID());
}

/** A case that its officers may send again without another agency's name on it. */
function withoutCanaries<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value).replaceAll(/canary-[\w-]+/g, 'plain')) as Value;
}
