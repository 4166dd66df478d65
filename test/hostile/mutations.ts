import fc from 'fast-check';
import { Entries, hostileKey, hostileValue, RawJson } from './values.ts';

type Change = (value: unknown) => unknown;

/** A body with one thing wrong: somewhere in it, at any depth. */
export function mutated(body: unknown): fc.Arbitrary<unknown> {
  const places = placesIn(body);
  return fc
    .tuple(fc.constantFrom(...places), fc.constantFrom(...CHANGES), hostileValue, hostileKey)
    .map(([place, change, value, key]) => at(body, place, change(value, key)));
}

const CHANGES: readonly ((value: unknown, key: string) => Change)[] = [
  (value) => () => value,
  (value) => () => value,
  (value) => () => value,
  () => (old) => [old],
  () => (old) => new Entries([['value', old]]),
  () => () => undefined,
  (value, key) => (old) => (isRecord(old) ? new Entries([...Object.entries(old), [key, value]]) : value),
  (value) => (old) =>
    isRecord(old)
      ? new Entries(Object.entries(old).flatMap(([k, v]) => [[k, v] as const, [k, value] as const]))
      : value,
  () => (old) => (typeof old === 'string' ? old.toUpperCase() : old),
  () => (old) => (typeof old === 'string' ? new RawJson(escaped(old)) : old),
  () => (old) => (typeof old === 'number' ? String(old) : old),
  () => (old) => (Array.isArray(old) ? Array.from({ length: 3_000 }, () => old[0] as unknown) : old),
];

/** Every character as an escape: the same text to whoever parses it. */
function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, n) => text.charCodeAt(n).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

type Place = readonly (string | number)[];

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null &&
  typeof value === 'object' &&
  !Array.isArray(value) &&
  !(value instanceof Entries) &&
  !(value instanceof RawJson);

function placesIn(value: unknown, here: Place = []): Place[] {
  if (Array.isArray(value)) return [here, ...value.slice(0, 3).flatMap((each, n) => placesIn(each, [...here, n]))];
  if (!isRecord(value)) return [here];
  return [here, ...Object.entries(value).flatMap(([key, each]) => placesIn(each, [...here, key]))];
}

/** A copy in which the value at a place is changed. */
function at(value: unknown, [step, ...rest]: Place, change: Change): unknown {
  if (step === undefined) return change(value);
  if (Array.isArray(value)) return value.map((each: unknown, n) => (n === step ? at(each, rest, change) : each));
  if (!isRecord(value)) return value;
  return new Entries(
    Object.entries(value)
      .map(([key, each]) => [key, key === step ? at(each, rest, change) : each] as const)
      .filter(([, each]) => each !== undefined),
  );
}

/** Bodies that are no JSON, each with the type it claims. */
export const BROKEN_BODIES: readonly (readonly [type: string | undefined, body: Buffer])[] = [
  ['application/json', Buffer.from('')],
  ['application/json', Buffer.from('{')],
  ['application/json', Buffer.from('{"a":1')],
  ['application/json', Buffer.from('{"a":1}{"a":2}')],
  ['application/json', Buffer.from('\ufeff{}')],
  ['application/json', Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
  ['application/json', Buffer.from([0x22, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0x22])],
  ['application/json', Buffer.from('"words"')],
  ['application/json', Buffer.from('[1,2,3]')],
  ['application/json', Buffer.from('undefined')],
  ['application/json; charset=utf-16', Buffer.from('{}')],
  ['application/json; charset=', Buffer.from('{}')],
  ['application/json;;;=', Buffer.from('{}')],
  ['application/json, text/plain', Buffer.from('{}')],
  ['APPLICATION/JSON', Buffer.from('{}')],
  ['application/vnd.api+json', Buffer.from('{}')],
  ['text/plain', Buffer.from('{}')],
  ['text/xml', Buffer.from('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>')],
  ['application/x-www-form-urlencoded', Buffer.from('a=1&__proto__[b]=2&a[]=3')],
  ['application/octet-stream', Buffer.alloc(64, 0xff)],
  ['multipart/form-data', Buffer.from('--x\r\n\r\n--x--')],
  ['multipart/form-data; boundary=', Buffer.from('--\r\n\r\n----')],
  ['multipart/form-data; boundary=x', Buffer.from('--x')],
  [
    'multipart/form-data; boundary=x',
    Buffer.from('--x\r\ncontent-disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\nabc'),
  ],
  ['*/*', Buffer.from('{}')],
  ['', Buffer.from('{}')],
  [undefined, Buffer.from('{}')],
];
