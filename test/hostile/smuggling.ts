import type { Sent } from './client.ts';

const lines = (...all: string[]) => Buffer.from(`${all.join('\r\n')}\r\n\r\n`, 'latin1');
const HOST = 'host: golden72.test';
const TYPE = 'content-type: application/json';
const NEXT = 'GET /v1/cases HTTP/1.1\r\nhost: x\r\n\r\n';

/** Bytes that no client sends: two lengths, hidden requests, line feeds alone, methods and versions that are none. */
const BYTES: readonly ((path: string) => Buffer)[] = [
  (path) =>
    lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'content-length: 4', 'transfer-encoding: chunked', '', '0', '', NEXT),
  (path) =>
    lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'transfer-encoding: chunked', 'transfer-encoding: identity', '', '0'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'transfer-encoding : chunked', '', '0'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'transfer-encoding: xchunked', '', '0'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'content-length: 2', 'content-length: 3', '', '{}'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'content-length: +2', '', '{}'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'content-length: -1', '', '{}'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'content-length: 99999999999999999999', '', '{}'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'transfer-encoding: chunked', '', '-1', '{}'),
  (path) => lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'transfer-encoding: chunked', '', 'FFFFFFFFFFFFFFFFF', '{}'),
  (path) =>
    lines(`POST ${path} HTTP/1.1`, HOST, TYPE, 'transfer-encoding: chunked', '', `1;${'e'.repeat(20_000)}`, '{'),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, HOST),
  (path) => lines(`GET ${path} HTTP/1.1`),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, ' folded: header'),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, 'x\0y: z'),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, 'x: a\nset-cookie: g72_session=x'),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, `cookie: ${'a=b; '.repeat(2_000)}`),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, ...Array.from({ length: 2_500 }, (_, n) => `x-${n}: y`)),
  (path) => lines(`GET ${path}\0 HTTP/1.1`, HOST),
  (path) => lines(`GET ${path}\xff\xfe HTTP/1.1`, HOST),
  (path) => lines(`GET ${path}%ff%zz%0 HTTP/1.1`, HOST),
  (path) => lines(`GET http://evil.test${path} HTTP/1.1`, HOST),
  (path) => lines(`GET //evil.test${path} HTTP/1.1`, HOST),
  (path) => lines(`GET ${path} HTTP/9.9`, HOST),
  (path) => lines(`GET ${path} HTTP/1.0`),
  (path) => lines(`get ${path} HTTP/1.1`, HOST),
  (path) => lines(`TRACE ${path} HTTP/1.1`, HOST),
  (path) => lines(`CONNECT ${path} HTTP/1.1`, HOST),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, 'expect: 100-continue'),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, 'expect: something'),
  (path) => lines(`GET ${path} HTTP/1.1`, HOST, 'upgrade: websocket', 'connection: upgrade'),
  (path) =>
    lines(
      `GET ${path} HTTP/1.1`,
      HOST,
      'connection: upgrade, http2-settings',
      'upgrade: h2c',
      'http2-settings: AAMAAABkAAQ',
    ),
  () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  () => lines('OPTIONS * HTTP/1.1', HOST),
];

/** The nth of them, against an address. */
export function smuggled(n: number, path: string): Sent {
  return { method: 'RAW', path, headers: {}, bytes: BYTES[n % BYTES.length]!(path) };
}
