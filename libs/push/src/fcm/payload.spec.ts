import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PushMessage } from '../push-gateway.ts';
import { Composer } from './composer.ts';
import { PAYLOAD_LIMIT_BYTES } from './payload.ts';

const NOW = Date.UTC(2026, 0, 1);
const alert: PushMessage = {
  token: 'sim:1',
  platform: 'android',
  kind: 'alert',
  alertId: '0b6cbd9e-6a0f-4b0e-9d8f-0d6f2d1f7a11',
  slug: 'x7k2m9',
  version: 3,
  ref: 'b1.7.mac',
  title: '寻找走失儿童',
  body: 'Li Ming, 7, "red" coat\nLast seen in Nanshan',
  area: '{"c":[114.06,22.54],"r":120000}',
  band: 4,
  sound: 'wake',
  link: 'https://example.org/a/x7k2m9',
  photo: 'https://example.org/p/x7k2m9',
  expiresAt: new Date(NOW + 3_600_500),
};

interface Body {
  message: {
    token: string;
    data?: Record<string, string>;
    android?: { priority: string; collapse_key: string; ttl: string };
    apns?: { headers: Record<string, string>; payload: Record<string, unknown> & { aps: Record<string, unknown> } };
  };
}

function compose(message: Partial<PushMessage>, composer = new Composer(NOW)): Body['message'] {
  const composed = composer.compose({ ...alert, ...message });
  if (composed === null) throw new Error('too large');
  return (JSON.parse(composed.toString('utf8')) as Body).message;
}

const keys = {
  kind: 'alert',
  alert: alert.alertId,
  slug: 'x7k2m9',
  version: '3',
  title: alert.title,
  body: alert.body,
  area: alert.area,
  band: '4',
  sound: 'wake',
  link: alert.link,
  photo: alert.photo,
  expires: '2026-01-01T01:00:00.500Z',
  ref: 'b1.7.mac',
};

describe('the request body', () => {
  it('is data only on Android', () => {
    expect(compose({})).toEqual({
      token: 'sim:1',
      android: { priority: 'HIGH', collapse_key: alert.alertId, ttl: '3600s' },
      data: keys,
    });
  });

  it('is an alert with the same keys beside it on iOS', () => {
    expect(compose({ platform: 'ios' })).toEqual({
      token: 'sim:1',
      apns: {
        headers: {
          'apns-priority': '10',
          'apns-push-type': 'alert',
          'apns-collapse-id': alert.alertId,
          'apns-expiration': `${NOW / 1000 + 3600}`,
        },
        payload: {
          aps: {
            alert: { title: alert.title, body: alert.body },
            'mutable-content': 1,
            'interruption-level': 'time-sensitive',
            sound: 'default',
          },
          ...keys,
        },
      },
    });
  });

  it('makes no sound where it is to be silent', () => {
    const aps = compose({ platform: 'ios', sound: 'silent' }).apns?.payload.aps;
    expect(aps).toMatchObject({ 'interruption-level': 'passive' });
    expect(aps).not.toHaveProperty('sound');
  });

  it('leaves the photo out where there is none', () => {
    expect(compose({ photo: null }).data).not.toHaveProperty('photo');
  });

  it('keeps a collapse id within 64 bytes, one per alert', () => {
    const long = (end: string) =>
      compose({ platform: 'ios', alertId: '长'.repeat(22) + end }).apns?.headers['apns-collapse-id'];
    expect(Buffer.byteLength(long('1') ?? '')).toBeLessThanOrEqual(64);
    expect(long('1')).toBe(long('1'));
    expect(long('1')).not.toBe(long('2'));
  });

  it('lives no longer than the alert, than 28 days, and never less than no time', () => {
    const lives = (ms: number) => {
      const expiresAt = new Date(NOW + ms);
      const ttl = compose({ expiresAt }).android?.ttl;
      return [ttl, compose({ platform: 'ios', expiresAt }).apns?.headers['apns-expiration']];
    };
    expect(lives(999)).toEqual(['0s', '0']);
    expect(lives(-5000)).toEqual(['0s', '0']);
    expect(lives(400 * 86_400_000)).toEqual(['2419200s', `${NOW / 1000 + 2_419_200}`]);
  });

  it('mends lone surrogates', () => {
    expect(compose({ title: 'a\ud800b' }).data?.['title']).toBe('a\ufffdb');
  });

  it('gives each phone its own reference, token, platform, text and band', () => {
    const composer = new Composer(NOW);
    const variants = fc.record({
      token: fc.string(),
      ref: fc.string({ minLength: 1, maxLength: 3 }),
      platform: fc.constantFrom<PushMessage['platform']>('android', 'ios'),
      title: fc.constantFrom('寻找', 'Missing'),
      band: fc.nat(20),
      version: fc.nat(2),
      photo: fc.constantFrom(null, 'https://example.org/p'),
    });
    fc.assert(
      fc.property(variants, (variant) => {
        expect(compose(variant, composer)).toEqual(compose(variant));
        const { token, data, apns } = compose(variant, composer);
        const read = data ?? apns?.payload;
        expect([token, read?.['ref'], read?.['title'], read?.['band']]).toEqual([
          variant.token,
          variant.ref,
          variant.title,
          `${variant.band}`,
        ]);
      }),
    );
  });
});

describe('the payload limit', () => {
  const anyScript = fc.string({
    unit: fc.oneof(
      { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.constantFrom('\\', '"', '\u0007', '\ud800') },
      { weight: 4, arbitrary: fc.constantFrom('孩', '子', 'ع', 'क्षि', '👨‍👩‍👧', '🇨🇳', 'é', 'z', ' ') },
    ),
    size: 'max',
    maxLength: 10_000,
  });

  const sizeOf = (message: Body['message']): number =>
    Buffer.byteLength(JSON.stringify(message.data ?? message.apns?.payload));

  it('holds for any text, which stays well-formed and never costs the link', () => {
    fc.assert(
      fc.property(
        anyScript,
        anyScript,
        fc.constantFrom<PushMessage['platform']>('android', 'ios'),
        (title, body, platform) => {
          const message = compose({ title, body, platform });
          expect(sizeOf(message)).toBeLessThanOrEqual(PAYLOAD_LIMIT_BYTES);
          const read = message.data ?? message.apns?.payload;
          expect([read?.['link'], read?.['area'], read?.['ref']]).toEqual([alert.link, alert.area, alert.ref]);
          for (const text of [read?.['title'], read?.['body']]) expect(String(text).isWellFormed()).toBe(true);
          expect(message.apns?.payload.aps['alert'] ?? read).toMatchObject({
            title: read?.['title'],
            body: read?.['body'],
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('uses what room there is', () => {
    const message = compose({ body: 'x'.repeat(10_000) });
    expect(sizeOf(message)).toBe(PAYLOAD_LIMIT_BYTES);
    expect(message.data?.['body']).toMatch(/^x{3000,}…$/);
    expect(message.data?.['title']).toBe(alert.title);
  });

  it('leaves a text alone that just fits, with a longer reference not', () => {
    const composer = new Composer(NOW);
    const spare = PAYLOAD_LIMIT_BYTES - sizeOf(compose({ body: '' }));
    expect(compose({ body: 'x'.repeat(spare) }, composer).data?.['body']).toBe('x'.repeat(spare));
    const longer = compose({ body: 'x'.repeat(spare), ref: `${alert.ref}7` }, composer);
    expect(sizeOf(longer)).toBeLessThanOrEqual(PAYLOAD_LIMIT_BYTES);
    expect(longer.data?.['body']).toMatch(/…$/);
  });

  it('is told where cutting the text does not help', () => {
    expect(new Composer(NOW).compose({ ...alert, link: `https://example.org/${'x'.repeat(4096)}` })).toBeNull();
  });
});
