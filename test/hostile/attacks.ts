import fc from 'fast-check';
import type { Sent } from './client.ts';
import type { Operation } from './document.ts';
import { BROKEN_BODIES, mutated } from './mutations.ts';
import { FormBody, parametersOf, pathOf, type Rule, type Scene } from './rules.ts';
import { type Caller, freshAddress } from './staff.ts';
import type { Thing } from './things.ts';
import { hostileString, HOSTILE_STRINGS, valid, write } from './values.ts';

/** What a generator draws from for one operation. */
export interface Ground {
  readonly operation: Operation;
  readonly rule: Rule;
  /** Who may, and everybody. */
  readonly friends: readonly Caller[];
  readonly callers: readonly Caller[];
  /** What they may do it to, and everything. */
  readonly own: readonly Thing[];
  readonly things: readonly Thing[];
  readonly picture: Buffer;
}

export interface Attack {
  readonly caller: Caller;
  readonly sent: Sent;
}

/** A request in parts, before it is written out. */
interface Draft {
  readonly method: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Whole, in place of one with parameters. */
  readonly path?: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

type Twist = (draft: Draft, ground: Ground) => fc.Arbitrary<Draft>;

/** Requests for one operation, most of them with something wrong. A request as it should be is among them. */
export function attacksOn(ground: Ground): fc.Arbitrary<Attack> {
  const scene = fc.tuple(mostly(ground.friends, ground.callers), mostly(ground.own, ground.things));
  const seed = fc.integer();
  return fc
    .tuple(scene, fc.array(fc.constantFrom(...TWISTS), { minLength: 0, maxLength: 3 }), seed)
    .map(([[caller, thing], twists, each]) => {
      const start = draftOf(ground, { caller, thing, picture: ground.picture });
      const draft = twists.reduce((before, twist) => drawn(twist(before, ground), each), start);
      return { caller, sent: written(ground.operation, draft) };
    });
}

const mostly = <Value>(usual: readonly Value[], all: readonly Value[]) =>
  fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(...(usual.length > 0 ? usual : all)) },
    { weight: 1, arbitrary: fc.constantFrom(...all) },
  );

const drawn = <Value>(arbitrary: fc.Arbitrary<Value>, seed: number): Value =>
  fc.sample(arbitrary, { seed, numRuns: 1 })[0] as Value;

function draftOf({ operation, rule }: Ground, scene: Scene): Draft {
  return {
    method: operation.method,
    parameters: parametersOf(rule, operation.template, scene),
    query: '',
    headers: { 'x-forwarded-for': freshAddress(), ...scene.caller.credential, ...rule.headers?.(scene) },
    body: rule.body?.(scene),
  };
}

function written({ template }: Operation, { method, parameters, path, query, headers, body }: Draft): Sent {
  const address = path ?? pathOf(template, parameters);
  const whole = { method, path: address + query };
  if (body === undefined) return { ...whole, headers };
  const isForm = body instanceof FormBody;
  const content = isForm ? body.bytes : Buffer.isBuffer(body) ? body : write(body);
  const type = isForm ? body.type : 'application/json';
  const typed = Buffer.isBuffer(body) ? headers : { 'content-type': type, ...headers };
  return { ...whole, headers: typed, body: content };
}

const encoded = (text: string) => encodeURIComponent(text.toWellFormed());

/** Text that a header may hold at all; what it may not is sent as raw bytes elsewhere. */
const headerValue = hostileString.map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?').slice(0, 3_000));

const withHeader = (draft: Draft, headers: Readonly<Record<string, string>>): Draft => ({
  ...draft,
  headers: { ...draft.headers, ...headers },
});

const badBody: Twist = (draft) => {
  if (draft.body === undefined || Buffer.isBuffer(draft.body)) return brokenBody(draft);
  if (draft.body instanceof FormBody) return brokenForm(draft.body).map((body) => ({ ...draft, body }));
  return mutated(draft.body).map((body) => ({ ...draft, body }));
};

const brokenBody = (draft: Draft): fc.Arbitrary<Draft> =>
  fc.constantFrom(...BROKEN_BODIES).map(([type, body]) => {
    const typed = type === undefined ? draft : withHeader(draft, { 'content-type': type });
    return { ...typed, body };
  });

/** A body that its schema takes, with other values than a person would give. */
const strangeBody: Twist = (draft, { operation: { bodies } }) => {
  const schema = bodies.get('application/json');
  return schema ? valid(schema).map((body) => ({ ...draft, body })) : fc.constant(draft);
};

const badParameter: Twist = (draft) => {
  const names = Object.keys(draft.parameters);
  return fc
    .tuple(fc.constantFrom(...names), hostileString, fc.constantFrom(encoded, twice, upper, traversal))
    .map(([name, text, encode]) => ({
      ...draft,
      parameters: { ...draft.parameters, [name]: encode(text, draft.parameters[name] ?? '') },
    }));
};

const twice = (text: string) => encodeURIComponent(encoded(text));
const upper = (_: string, given: string) => given.toUpperCase();
const traversal = (_: string, given: string) => `..%2f..%2f${given}%00%0d%0a`;

/** The names of things that are somebody else's, or another kind of thing. */
const swappedIds: Twist = (draft, { things }) =>
  fc
    .tuple(fc.constantFrom(...things), fc.constantFrom(...Object.keys(draft.parameters)))
    .chain(([thing, name]) =>
      fc
        .constantFrom(
          thing.id ?? thing.caseId,
          thing.caseId,
          thing.photoId,
          thing.alertId,
          thing.slug,
          thing.sightingId,
          thing.ref,
          thing.reference,
        )
        .map((id) => ({ ...draft, parameters: { ...draft.parameters, [name]: id } })),
    );

const badPath: Twist = (draft) =>
  fc
    .constantFrom(...HOSTILE_STRINGS)
    .map((text) => ({ ...draft, path: `/v1/cases/${encoded(text)}/../${encoded(text)}`.slice(0, 9_000) }));

const badQuery: Twist = (draft) =>
  fc
    .array(
      fc.tuple(
        fc.constantFrom('before', 'limit', 'state', 'f', 'lang', '__proto__[x]', 'a[]', '', 'key'),
        hostileString,
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((pairs) => ({
      ...draft,
      query: `?${pairs.map(([key, value]) => `${key}=${encoded(value)}`).join('&')}`.slice(0, 9_000),
    }));

const HEADERS = [
  'accept',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'content-type',
  'cookie',
  'forwarded',
  'idempotency-key',
  'if-modified-since',
  'if-none-match',
  'origin',
  'range',
  'read-reason',
  'referer',
  'sec-fetch-site',
  'sec-purpose',
  'traceparent',
  'user-agent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-request-id',
  'x-rewrite-url',
];

const badHeader: Twist = (draft) =>
  fc.tuple(fc.constantFrom(...HEADERS), headerValue).map(([name, value]) => withHeader(draft, { [name]: value }));

const override: Twist = (draft) =>
  fc
    .tuple(
      fc.constantFrom('x-http-method-override', 'x-method-override', 'x-original-method'),
      fc.constantFrom('DELETE', 'PUT', 'GET'),
    )
    .map(([name, method]) => withHeader(draft, { [name]: method }));

const otherMethod: Twist = (draft) =>
  fc
    .constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')
    .map((method) => ({ ...draft, method, ...(method === 'GET' || method === 'HEAD' ? { body: undefined } : {}) }));

/** Credentials that are almost right, of another kind, several, or somebody else's. */
const badCredential: Twist = (draft, { callers }) =>
  fc.tuple(fc.constantFrom(...callers), fc.constantFrom(...MANGLES), headerValue).map(([other, mangle, value]) => {
    const { cookie, authorization, ...rest } = draft.headers;
    const own = { ...(cookie && { cookie }), ...(authorization && { authorization }) };
    return { ...draft, headers: { ...rest, ...mangle(own, other.credential, value) } };
  });

type Credential = Readonly<Record<string, string>>;
const MANGLES: readonly ((own: Credential, other: Credential, value: string) => Credential)[] = [
  () => ({}),
  (own, other) => ({ ...own, ...other }),
  (own) => mapped(own, (each) => each.slice(0, -1)),
  (own) => mapped(own, (each) => each + 'A'),
  (own) => mapped(own, (each) => each.toUpperCase()),
  (own) => mapped(own, (each) => each.replace(/.(?=.{5}$)/, '_')),
  (own) => mapped(own, (each) => `${each}; ${each}`),
  (own) => mapped(own, (each) => each.replace('g72d_', 'g72k_').replace('Bearer', 'Basic')),
  (_, __, value) => ({ cookie: `g72_session=${value}`, authorization: `Bearer ${value}` }),
  (_, __, value) => ({ authorization: `Bearer g72d_${value}` }),
  (own, other) => ({ cookie: `${other['cookie'] ?? 'a=b'}; ${own['cookie'] ?? 'c=d'}` }),
];

const mapped = (credential: Credential, change: (value: string) => string): Credential =>
  Object.fromEntries(Object.entries(credential).map(([name, value]) => [name, change(value)]));

const FILES = [
  Buffer.from('\x89PNG\r\n\x1a\n junk', 'latin1'),
  Buffer.from('GIF89a' + '\xff'.repeat(200), 'latin1'),
  Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>'),
  Buffer.from('\xff\xd8\xff\xe0' + '\0'.repeat(64), 'latin1'),
  Buffer.from('%PDF-1.7'),
  Buffer.from('RIFF\xff\xff\xff\xffWEBPVP8 ', 'latin1'),
  Buffer.alloc(0),
];

/** Forms that end early, lie about their boundary, bring too many parts, or files that are no pictures. */
function brokenForm({ type, bytes }: FormBody): fc.Arbitrary<FormBody> {
  const boundary = type.split('boundary=')[1] ?? 'x';
  const part = (head: string, content: Buffer) =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
      content,
      Buffer.from('\r\n'),
    ]);
  const end = Buffer.from(`--${boundary}--\r\n`);
  const whole = (...parts: Buffer[]) => new FormBody({ type, body: Buffer.concat([...parts, end]) });
  return fc.oneof(
    fc.nat(bytes.length).map((length) => new FormBody({ type, body: bytes.subarray(0, length) })),
    fc
      .constantFrom('multipart/form-data', `${type}x`, 'multipart/mixed; boundary=x')
      .map((other) => new FormBody({ type: other, body: bytes })),
    fc.constantFrom(...FILES).map((file) => whole(part('name="photo"; filename="../../a.jpg"', file))),
    fc
      .constantFrom(...FILES)
      .map((file) => whole(part('name="photo"; filename="a"', file), part('name="photo"; filename="b"', file))),
    hostileString.map((text) => whole(part(`name="${text.replaceAll(/["\r\n]/g, '')}"`, Buffer.from(text)))),
    hostileString.map((text) => whole(part('name="sighting"', Buffer.from(text)))),
    hostileString.map((text) => whole(part('name="words"', Buffer.from(text)))),
    fc
      .constantFrom('__proto__', 'constructor', 'words')
      .map((name) => whole(...Array.from({ length: 40 }, () => part(`name="${name}"`, Buffer.from('x'))))),
    fc.constant(whole(part('name="photo"; filename="big.jpg"', Buffer.alloc(400_000, 0x20)))),
    fc.constant(whole()),
  );
}

const TWISTS: readonly Twist[] = [
  ...Array<Twist>(10).fill(badBody),
  ...Array<Twist>(3).fill(strangeBody),
  ...Array<Twist>(3).fill(badParameter),
  ...Array<Twist>(3).fill(swappedIds),
  ...Array<Twist>(3).fill(badHeader),
  ...Array<Twist>(2).fill(badCredential),
  ...Array<Twist>(2).fill(badQuery),
  badPath,
  (draft) => brokenBody(draft),
  otherMethod,
  override,
];

/** Of so many requests one is larger than any may be: rare, for it is many bytes. */
export const OVERSIZED_EVERY = 500;

export function oversizedAttack({ caller, sent }: Attack, n: number): Attack {
  const body = `{"words":"${'a'.repeat([300_000, 1_100_000, 5_000_000][n % 3]!)}"}`;
  return { caller, sent: { ...sent, headers: { ...sent.headers, 'content-type': 'application/json' }, body } };
}
