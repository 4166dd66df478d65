import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { BOUNDS, type DecoderBounds, drawApart } from '../libs/platform/src/image-process.ts';

/** 49 megapixels, which take a second or two and a gigabyte to draw. */
let giant: Buffer;
let small: Buffer;

beforeAll(async () => {
  const plain = (edge: number) => sharp({ create: { width: edge, height: edge, channels: 3, background: '#c00000' } });
  giant = await plain(7000).avif({ effort: 0, quality: 10 }).toBuffer();
  small = await plain(60).png().toBuffer();
});

const kindOf = async (upload: Buffer, bounds: Partial<DecoderBounds>) =>
  (await drawApart(upload, { ...BOUNDS, ...bounds })).kind;

describe('a decoder', () => {
  it('draws what is within its bounds', async () => {
    expect(await drawApart(giant)).toMatchObject({ kind: 'drawn', width: 1280, height: 1280 });
    expect(await drawApart(small)).toMatchObject({ kind: 'drawn', width: 60, height: 60 });
  });

  it.each([
    ['memory', { memoryKb: 1_000_000 }],
    ['processor time', { cpuSeconds: 1 }],
    ['time', { wallMs: 100 }],
    ['what it may write', { resultBytes: 500 }],
  ] as const)('is ended when it is beyond its bound of %s', async (_, bound) => {
    expect(await kindOf(giant, bound)).toBe('too_large');
  });

  it('is as well afterwards', async () => {
    expect(await kindOf(small, {})).toBe('drawn');
  });

  it('that takes too long to start is a fault of ours, too', async () => {
    await expect(drawApart(small, { ...BOUNDS, startMs: 1 })).rejects.toThrow('the photo decoder');
  });

  it('that cannot start is a fault of ours, not of the photo', async () => {
    await expect(drawApart(small, { ...BOUNDS, memoryKb: 300_000 })).rejects.toThrow('the photo decoder');
  });
});
