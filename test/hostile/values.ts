import fc from 'fast-check';
import type { Schema } from './document.ts';

/** A JSON text that is put into a body as it stands: it need not be what any serialiser would write. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object as its entries, so that a key may come twice and none of them sets a prototype. */
export class Entries {
  readonly list: readonly (readonly [string, unknown])[];

  constructor(list: readonly (readonly [string, unknown])[]) {
    this.list = list;
  }
}

/** Writes JSON, raw texts and repeated keys among it. */
export function write(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (value instanceof Entries) {
    return `{${value.list.map(([key, each]) => `${JSON.stringify(key)}:${write(each)}`).join()}}`;
  }
  if (Array.isArray(value)) return `[${value.map(write).join()}]`;
  if (value !== null && typeof value === 'object') return write(new Entries(Object.entries(value)));
  return JSON.stringify(value) ?? 'null';
}

/** Strings that break what takes a string for something else. None holds a word that the search for leaks looks for. */
export const HOSTILE_STRINGS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u202egnp.exe\u202c',
  '\u2066\u2069\u200b\ufeff',
  '\ud800',
  'x\udfff',
  '\uffff\ufffe',
  'ﬀ'.repeat(300),
  'e\u0301'.repeat(200) + '\u0301'.repeat(3000),
  '👨‍👩‍👧‍👦'.repeat(50),
  '﷽'.repeat(40),
  'ß'.repeat(99) + 'İ',
  'a'.repeat(257),
  'a'.repeat(10_001),
  '字'.repeat(70_000),
  "' OR '1'='1",
  "'; DROP TABLE cases; --",
  '1); TRUNCATE devices CASCADE; --',
  "\\'; COPY cases TO PROGRAM 'id'",
  '$1',
  '%',
  '_%\\',
  '{{7*7}}',
  '${7*7}',
  '<%= 7*7 %>',
  '#{7*7}',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "javascript:alert('1')",
  'a\r\nset-cookie: g72_session=x',
  'a\r\n\r\n<html>',
  '../../../../etc/passwd',
  '..\\..\\windows\\win.ini',
  '%2e%2e%2f',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'NaN',
  'Infinity',
  '-0',
  '1e309',
  '0x7f',
  '١٢٣',
  '9'.repeat(400),
  'true',
  'null',
  'undefined',
  '[object Object]',
  '2026-02-30T25:61:61Z',
  '+275760-09-13T00:00:00.001Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF',
  '; sleep 5',
  '$(id)',
  '`id`',
  '(?:a+)+$',
  'a'.repeat(40) + '!',
  '@zone/../../x',
  'Etc/../Asia/Shanghai',
  'http://127.0.0.1:1/',
  'file:///etc/hostname',
  '*',
  '*)(uid=*',
];

const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels);

/** JSON texts in place of any value. */
const HOSTILE_JSON: readonly string[] = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e309',
  '-1e309',
  '1e-400',
  '9007199254740993',
  '123456789012345678901234567890',
  '2147483648',
  '-2147483649',
  '9223372036854775808',
  '181',
  '-180.0000000001',
  '90.00000001',
  'NaN',
  'Infinity',
  '-Infinity',
  '0x10',
  '01',
  '+1',
  '.5',
  "'text'",
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '[{}]',
  deep('[', ']', 50),
  deep('[', ']', 5_000),
  `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
  `[${'0,'.repeat(20_000)}0]`,
  `{${Array.from({ length: 3_000 }, (_, n) => `"k${n}":0`).join()}}`,
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"toString":"x","valueOf":1,"toJSON":1,"then":1}',
  '{"length":1000000000}',
  '{"$ne":null}',
  '{"type":"Buffer","data":[1,2,3]}',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udead\\ud800"',
  '"\\x41"',
  '"unfinished',
];

/** Keys that an object might have inherited, or that a body must not bring. */
const HOSTILE_KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'id',
  'agencyId',
  'agency_id',
  'roles',
  'state',
  'authorIds',
  'verifierId',
  'mode',
  'then',
  '\0',
  '\ud800',
  'a'.repeat(5_000),
  '$where',
];

export const hostileString = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE_STRINGS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
);

/** Anything, where anything else was asked for. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileString },
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE_JSON).map((text) => new RawJson(text)) },
  { weight: 1, arbitrary: fc.double().map((number) => new RawJson(String(number))) },
  { weight: 1, arbitrary: fc.bigInt().map((number) => new RawJson(String(number))) },
);

export const hostileKey = fc.constantFrom(...HOSTILE_KEYS);

const LONGEST = 120;

/** Values that a schema takes; what a schema cannot say (a checksum, an order of times) they may lack. */
export function valid(schema: Schema): fc.Arbitrary<unknown> {
  const { enum: choices, nullable } = schema;
  if (choices) return fc.constantFrom(...choices);
  const value = typed(schema);
  return nullable ? fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) }) : value;
}

function typed(schema: Schema): fc.Arbitrary<unknown> {
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return fc.oneof(...options.map(valid));
  if (schema.allOf) return fc.tuple(...schema.allOf.map(valid)).map((parts) => Object.assign({}, ...parts) as unknown);
  const make = schema.type === undefined ? undefined : MAKERS[schema.type];
  return make?.(schema) ?? fc.jsonValue({ maxDepth: 2 });
}

const MAKERS: Readonly<Record<string, (schema: Schema) => fc.Arbitrary<unknown>>> = {
  string: stringOf,
  integer: ({ minimum, maximum }) =>
    fc.integer({ min: minimum ?? -1_000, max: Math.min(maximum ?? 1_000, 2 ** 31 - 1) }),
  number: ({ minimum, maximum }) => fc.double({ min: minimum ?? -1_000, max: maximum ?? 1_000, noNaN: true }),
  boolean: () => fc.boolean(),
  array: ({ items, minItems, maxItems }) =>
    fc.array(valid(items ?? {}), { minLength: minItems ?? 0, maxLength: maxItems ?? 4 }),
  object: objectOf,
};

function stringOf({ format, pattern, minLength = 0, maxLength = LONGEST }: Schema): fc.Arbitrary<unknown> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0) }).map((date) => date.toISOString());
  if (format === 'binary') return fc.constant('');
  if (pattern) return matching(pattern);
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.max(minLength, Math.min(maxLength, LONGEST)) });
}

function matching(pattern: string): fc.Arbitrary<unknown> {
  try {
    return fc.stringMatching(new RegExp(pattern), { size: 'small' });
  } catch {
    // Assertions, for one, which no generator of strings understands.
    return hostileString;
  }
}

function objectOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, valid(schema)]));
  return fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
}
