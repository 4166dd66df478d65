import { describe, expect, it } from '@jest/globals';
import { isPerson, type Visitor } from './visitor.ts';

const PHONE =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36';
const WECHAT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN';
const QQ =
  'Mozilla/5.0 (Linux; U; Android 13; zh-cn; V2148A Build/TP1A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/109.0 Mobile Safari/537.36 V1_AND_SQ_8.9.83 QQ/8.9.83 NetType/4G';
const visitor = (change: Partial<Visitor>): Visitor => ({
  method: 'GET',
  address: '192.0.2.1',
  userAgent: PHONE,
  purpose: undefined,
  ...change,
});

describe('isPerson', () => {
  it.each([PHONE, WECHAT, QQ])('takes a person with %s', (userAgent) => {
    expect(isPerson(visitor({ userAgent }))).toBe(true);
  });

  it.each([
    ['HEAD', visitor({ method: 'HEAD' })],
    ['no user agent', visitor({ userAgent: undefined })],
    ['an empty user agent', visitor({ userAgent: '' })],
    [
      'a search engine',
      visitor({ userAgent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }),
    ],
    ["a messenger's card", visitor({ userAgent: 'WhatsApp/2.23.20.0' })],
    ["a network's card", visitor({ userAgent: 'facebookexternalhit/1.1' })],
    ["another messenger's card", visitor({ userAgent: 'TelegramBot (like TwitterBot)' })],
    ['a script', visitor({ userAgent: 'curl/8.5.0' })],
    ['a prefetch', visitor({ purpose: 'prefetch' })],
    ['a prerender', visitor({ purpose: 'prefetch;prerender' })],
    ["an elder browser's preview", visitor({ purpose: 'preview' })],
  ])('does not take %s', (_what, given) => {
    expect(isPerson(given)).toBe(false);
  });
});
