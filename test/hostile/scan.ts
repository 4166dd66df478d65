import { createHash } from 'node:crypto';
import { canariesIn, type Owner } from './canary.ts';
import type { Heard, Sent } from './client.ts';
import type { Thing } from './things.ts';

export type Fault = 'fiveHundred' | 'crossAgencyRead' | 'leak' | 'malformed';

export interface Finding {
  readonly fault: Fault;
  readonly what: string;
}

/** Words that no answer holds: of stacks, of files, of SQL and of the servers behind, of what is hashed or counted inside. */
const LEAKS: readonly (readonly [what: string, words: RegExp])[] = [
  ['a stack', /\bat (?:async )?[\w$.<>[\] ]+ \(?(?:file:|node:|\/)[^\s)]+:\d+|\b[\w-]+\.(?:ts|js|mjs|tsx):\d+/],
  [
    'a path',
    /(?:^|[\s"'(=])\/(?:home|work|root|tmp|usr|var|opt|srv|app|proc)\/[\w.-]+|node_modules|dist\/(?:apps|libs)/,
  ],
  ['SQL', /\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b.{1,200}\b(?:FROM|VALUES|SET|AS \()/s],
  [
    'PostgreSQL',
    /relation "|column "|operator does not exist|near "[^"]*" at|violates [\w-]+ constraint|duplicate key value/i,
  ],
  [
    'PostgreSQL',
    /invalid input syntax|invalid byte sequence|out of range for type|SQLSTATE|QueryFailed|\bpostgres|\bPostGIS|typeorm/i,
  ],
  // A whole name of the catalogue: a random token may well begin with these letters.
  ['PostgreSQL', /(?<![\w-])pg_[a-z_]{2,}\d*(?![\w-])/],
  ['Redis', /\bioredis|\bWRONGTYPE|\bNOSCRIPT|\bredis|bullmq|rlflx/i],
  ['the network', /\bE(?:CONNREFUSED|CONNRESET|PIPE|NOTFOUND|AI_AGAIN)\b/],
  [
    'a library',
    /FST_ERR|ERR_HTTP_|ZodError|TypeError|RangeError|SyntaxError|ReferenceError|Cannot read prop|is not a function|libvips|\bsharp\b|Input buffer/,
  ],
  ['a password’s hash', /\$argon2/],
  ['an inner number', /"(?:batch|wave|device|recipient|position)_?[iI]ds?"/],
  ['a server’s banner', /^(?:server|x-powered-by|via|x-aspnet-version):/im],
];

/** What is looked for in every answer. */
export class Scan {
  private readonly secrets = new Map<string, string>();
  private readonly pictures = new Map<string, string>();

  /** A value that no answer may hold, whoever asks. */
  secret(what: string, value: string): void {
    if (value.length >= 12) this.secrets.set(value, what);
  }

  /** A picture that only its agency may see. */
  picture(owner: string, bytes: Buffer): void {
    this.pictures.set(digest(bytes), owner);
  }

  /** A private reference that its server gave, so that no canary could be put into it. */
  private readonly references = new Map<string, string>();
  thing({ owner, reference }: Pick<Thing, 'owner' | 'reference'>): void {
    this.references.set(reference, owner);
  }

  /** All that is wrong with an answer. */
  findings(reads: readonly Owner[], sent: Sent, heard: Heard, problems: boolean): Finding[] {
    const { status, headers, body } = heard;
    if (status === 0) return [];
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const isText = !/^image\//.test(headers['content-type'] ?? '');
    const said = `${head.join('\n')}\n\n${isText ? body.toString() : ''}`;
    return [
      ...(status >= 500 ? [{ fault: 'fiveHundred' as const, what: `${status} ${brief(said)}` }] : []),
      ...this.crossReads(reads, said, isText ? undefined : body),
      ...this.leaks(sent, said),
      ...(problems ? malformations(sent, heard) : []),
    ];
  }

  private crossReads(reads: readonly Owner[], said: string, picture: Buffer | undefined): Finding[] {
    const foreign = (owner: string) => !(reads as readonly string[]).includes(owner);
    const seen = canariesIn(said)
      .filter(({ owner }) => foreign(owner))
      .map(({ value }) => value);
    for (const [reference] of said.matchAll(/G72-\w{4}-\w{4}/g)) {
      const owner = this.references.get(reference);
      if (owner !== undefined && foreign(owner)) seen.push(reference);
    }
    const owner = picture && this.pictures.get(digest(picture));
    if (owner !== undefined && foreign(owner)) seen.push(`a picture of ${owner}`);
    return seen.map((what) => ({ fault: 'crossAgencyRead', what }));
  }

  /** What a request said itself may come back in its answer: as a key that is not known, or in a form that is shown again. */
  private leaks(sent: Sent, said: string): Finding[] {
    const found = LEAKS.flatMap(([what, words]) => {
      const match = words.exec(said)?.[0];
      return match === undefined || saidBy(sent, match)
        ? []
        : [{ fault: 'leak' as const, what: `${what}: ${brief(match)}` }];
    });
    for (const [value, what] of this.secrets) {
      if (said.includes(value) && !saidBy(sent, value)) found.push({ fault: 'leak', what });
    }
    return found;
  }
}

function saidBy({ path, headers, body, bytes }: Sent, words: string): boolean {
  const whole = [path, ...Object.values(headers), String(body ?? ''), String(bytes ?? '')].join('\n');
  return whole.includes(words.trim());
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64');
const brief = (text: string) => text.slice(0, 300).replaceAll(/\s+/g, ' ');

/** Every refusal of the api is a problem document (RFC 9457), kept by nobody. */
function malformations({ method, bytes }: Sent, { status, headers, body }: Heard): Finding[] {
  const faults: string[] = [];
  if (status < 400 || method === 'HEAD') return [];
  // Node itself answers a missing Host (RFC 9112 §3.2) and an unknown Expect (RFC 9110 §10.1.1), with no word at all.
  if (bytes && /^(?:0\r\n\r\n)?$/.test(body.toString())) return [];
  if (!/^application\/problem\+json\b/.test(headers['content-type'] ?? ''))
    faults.push(`type ${headers['content-type']}`);
  if (headers['cache-control'] !== 'no-store') faults.push(`cache-control ${headers['cache-control']}`);
  if (headers['x-content-type-options'] !== 'nosniff') faults.push('no nosniff');
  if (status === 429 && !/^\d+$/.test(headers['retry-after'] ?? '')) faults.push('429 without retry-after');
  const problem = parsed(body);
  const code = typeof problem?.['code'] === 'string' ? problem['code'] : '';
  if (problem?.['status'] !== status) faults.push('another status');
  if (problem?.['type'] !== `urn:golden72:problem:${code}`) faults.push('another type');
  if (!/^urn:golden72:request:[\w-]+$/.test(String(problem?.['instance']))) faults.push('no instance');
  if (typeof problem?.['title'] !== 'string' || typeof problem['detail'] !== 'string') faults.push('no words');
  return faults.map((what) => ({ fault: 'malformed', what: `${status}: ${what}: ${brief(body.toString())}` }));
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
