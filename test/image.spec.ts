import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { PHOTO_MAX_BYTES, Refusal, reencodePhoto } from '#platform';
import { until } from './harness/until.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'image-'));
});
afterAll(() => rm(dir, { recursive: true }));

const RED = '#c00000';
const BLUE = '#0000c0';

const plain = (width: number, height: number, background = RED) =>
  sharp({ create: { width, height, channels: 3, background } });

/** A picture whose left half is red and whose right half is blue. */
const halves = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: RED } }).composite([
    { input: { create: { width: width / 2, height, channels: 3, background: BLUE } }, gravity: 'east' },
  ]);

const svg = (inside: string, before = '') =>
  Buffer.from(
    `<?xml version="1.0"?>${before}<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90">${inside}</svg>`,
  );

async function codeOf(upload: Buffer): Promise<string> {
  try {
    await reencodePhoto(upload);
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return String(error.code);
    throw error;
  }
}

/** The colour at a point, its parts rounded to multiples of 64, which JPEG keeps. */
async function colourAt(jpeg: Buffer, left: number, top: number): Promise<number[]> {
  const { data, info } = await sharp(jpeg).extract({ left, top, width: 1, height: 1 }).raw().toBuffer({
    resolveWithObject: true,
  });
  return Array.from(data.subarray(0, info.channels), (part) => Math.round(part / 64) * 64);
}
const ABOUT_RED = [192, 0, 0];
const ABOUT_BLUE = [0, 0, 192];

const FORMATS: Record<string, (picture: Sharp) => Sharp> = {
  jpeg: (picture) => picture.jpeg(),
  png: (picture) => picture.png(),
  webp: (picture) => picture.webp(),
  'lossless webp': (picture) => picture.webp({ lossless: true }),
  avif: (picture) => picture.avif({ effort: 0 }),
  gif: (picture) => picture.gif(),
};

describe('what is taken for a photo', () => {
  it.each(Object.keys(FORMATS))('a %s becomes a JPEG of ours', async (format) => {
    const upload = await FORMATS[format]?.(plain(64, 48)).toBuffer();
    const photo = await reencodePhoto(upload as Buffer);
    expect(await sharp(photo.jpeg).metadata()).toMatchObject({ format: 'jpeg', width: 64, height: 48, space: 'srgb' });
    expect(photo).toMatchObject({ width: 64, height: 48 });
    expect(photo.sha256).toEqual(createHash('sha256').update(photo.jpeg).digest());
    expect(await colourAt(photo.jpeg, 32, 24)).toEqual(ABOUT_RED);
  });

  it.each(Object.keys(FORMATS))('a %s that ends half-way is refused', async (format) => {
    const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
    const noisy = sharp({ create: { width: 200, height: 200, channels: 3, background: RED, noise } });
    const whole = (await FORMATS[format]?.(noisy).toBuffer()) as Buffer;
    expect(await codeOf(whole)).toBe('accepted');
    expect(await codeOf(whole.subarray(0, whole.length / 2))).toBe('photo_not_an_image');
  });

  it('an SVG is refused, whatever it is called and however it begins', async () => {
    const drawing = svg('<rect width="90" height="90" fill="red"/>');
    expect((await sharp(drawing).metadata()).format).toBe('svg');
    expect(await codeOf(drawing)).toBe('photo_not_an_image');
    expect(await codeOf(Buffer.concat([Buffer.from('\ufeff \n'), drawing]))).toBe('photo_not_an_image');
    for (const beginning of ['GIF89a', 'RIFF1234WEBPVP8 ', '\x89PNG\r\n\x1a\n', '\xff\xd8\xff', '\0\0\0\x1cftypavif']) {
      const disguised = Buffer.concat([Buffer.from(beginning, 'latin1'), drawing]);
      expect(await codeOf(disguised)).toBe('photo_not_an_image');
    }
  });

  it('an SVG that costs seconds to draw, or grows as it is read, is refused undrawn', async () => {
    const filter = '<filter id="f"><feTurbulence baseFrequency=".01" numOctaves="9"/></filter>';
    expect(await codeOf(svg(`${filter}<rect width="90" height="90" filter="url(#f)"/>`))).toBe('photo_not_an_image');
    const entities = Array.from({ length: 9 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(10)}">`).join('');
    const doctype = `<!DOCTYPE svg [<!ENTITY e0 "x">${entities}]>`;
    expect(await codeOf(svg('<text>&e9;</text>', doctype))).toBe('photo_not_an_image');
  });

  it('a TIFF, raw bytes, text and nothing are refused', async () => {
    const uploads = [
      await plain(9, 9).tiff().toBuffer(),
      await plain(9, 9).raw().toBuffer(),
      Buffer.from('PK\x03\x04 not a picture'),
      Buffer.from([0xff, 0xd8]),
      Buffer.alloc(0),
    ];
    for (const upload of uploads) expect(await codeOf(upload)).toBe('photo_not_an_image');
  });
});

describe('what is too large', () => {
  it('is over 12 MB', async () => {
    const photo = await plain(9, 9).jpeg().toBuffer();
    const padded = (bytes: number) => Buffer.concat([photo, Buffer.alloc(bytes - photo.length)]);
    expect(await codeOf(padded(PHOTO_MAX_BYTES))).toBe('accepted');
    expect(await codeOf(padded(PHOTO_MAX_BYTES + 1))).toBe('photo_too_large');
  });

  it('unpacks to more than 50 megapixels', async () => {
    const bomb = await plain(10_000, 5001).png().toBuffer();
    expect(bomb.length).toBeLessThan(1_000_000);
    expect(await codeOf(bomb)).toBe('photo_too_large');
    expect(await codeOf(await plain(7100, 7100).gif({ effort: 1 }).toBuffer())).toBe('photo_too_large');
  });
});

describe('a photo as it is kept', () => {
  it('is at most 1280 pixels long, and never enlarged', async () => {
    expect(await reencodePhoto(await plain(2560, 1000).png().toBuffer())).toMatchObject({ width: 1280, height: 500 });
    expect(await reencodePhoto(await plain(30, 20).png().toBuffer())).toMatchObject({ width: 30, height: 20 });
  });

  it('stands upright and says nothing of where or by whom it was taken', async () => {
    const exif = { IFD0: { Artist: 'an invented name' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '22/1 32/1 24/1' } };
    const upload = await halves(80, 40)
      .jpeg()
      .withExif(exif)
      .withMetadata({ orientation: 6 })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">an invented place</x:xmpmeta>')
      .toBuffer();
    expect(await sharp(upload).metadata()).toMatchObject({ orientation: 6, exif: expect.anything() });
    expect(upload.includes('an invented name') && upload.includes('an invented place')).toBe(true);

    const { jpeg, width, height } = await reencodePhoto(upload);
    expect([width, height]).toEqual([40, 80]);
    expect([await colourAt(jpeg, 20, 10), await colourAt(jpeg, 20, 70)]).toEqual([ABOUT_RED, ABOUT_BLUE]);
    const left = await sharp(jpeg).metadata();
    for (const key of ['exif', 'xmp', 'iptc', 'icc', 'orientation', 'comments']) expect(left).not.toHaveProperty(key);
    expect(jpeg.includes('an invented')).toBe(false);
  });

  it.each(['gif', 'webp'] as const)('is the first frame of an animated %s', async (format) => {
    const frames = await Promise.all([RED, BLUE].map((colour) => plain(20, 20, colour).png().toBuffer()));
    const upload = await sharp(frames, { join: { animated: true } })
      .toFormat(format)
      .toBuffer();
    expect((await sharp(upload).metadata()).pages).toBe(2);
    const { jpeg, width, height } = await reencodePhoto(upload);
    expect([width, height, await colourAt(jpeg, 10, 10)]).toEqual([20, 20, ABOUT_RED]);
  });

  it('has the colours of a CMYK JPEG', async () => {
    const upload = await plain(20, 20).toColourspace('cmyk').jpeg().toBuffer();
    expect((await sharp(upload).metadata()).space).toBe('cmyk');
    const { jpeg } = await reencodePhoto(upload);
    expect(await sharp(jpeg).metadata()).toMatchObject({ space: 'srgb', channels: 3 });
    const [red = 0, green = 0, blue = 0] = await colourAt(jpeg, 10, 10);
    expect(red).toBeGreaterThan(2 * Math.max(green, blue));
  });

  it('has the colours of a 16-bit PNG', async () => {
    const upload = await plain(20, 20, BLUE).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(upload).metadata()).depth).toBe('ushort');
    expect(await colourAt((await reencodePhoto(upload)).jpeg, 10, 10)).toEqual(ABOUT_BLUE);
  });

  it('is white where the upload is clear', async () => {
    const clear = { width: 20, height: 20, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const;
    const { jpeg } = await reencodePhoto(await sharp({ create: clear }).png().toBuffer());
    expect(await colourAt(jpeg, 10, 10)).toEqual([256, 256, 256]);
  });
});

describe('decoding', () => {
  /** Processes of ours that draw a photo now. */
  const decoders = () =>
    readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .filter((pid) => /^(?:State:\t[^ZX])/m.test(statusOf(pid)));

  /** Takes a second or two to draw. */
  let slow: Buffer;
  beforeAll(async () => {
    slow = await plain(7000, 7000).avif({ effort: 0, quality: 10 }).toBuffer();
  });

  it('takes two photos at a time', async () => {
    const upload = await plain(600, 600).png().toBuffer();
    const uploads = [Buffer.from('no photo'), ...Array<Buffer>(8).fill(upload)];
    const codes = Promise.all(uploads.map(codeOf));
    let most = 0;
    let done = false;
    void codes.finally(() => (done = true));
    await until('all are drawn', () => {
      most = Math.max(most, decoders().length);
      return done;
    });
    expect(await codes).toEqual(['photo_not_an_image', ...Array<string>(8).fill('accepted')]);
    expect(most).toBe(2);
    expect(decoders()).toEqual([]);
  });

  it('turns down what would wait too long, and takes the next one when there is room', async () => {
    const upload = await plain(60, 60).png().toBuffer();
    const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(upload)));
    expect(codes.filter((code) => code === 'accepted')).toHaveLength(12);
    expect(codes.filter((code) => code === 'photos_busy')).toHaveLength(8);
    expect(await codeOf(upload)).toBe('accepted');
  });

  it.each(['SIGKILL', 'SIGSEGV', 'SIGXCPU'] as const)(
    'survives a decoder that dies of %s in the midst, and refuses its photo alone',
    async (signal) => {
      const refused = codeOf(slow);
      const pid = await until('it is being drawn', () => decoders().find(hasRead));
      process.kill(Number(pid), signal);
      expect(await refused).toBe('photo_too_large');
      expect(await codeOf(await plain(60, 60).png().toBuffer())).toBe('accepted');
    },
  );

  it('costs this process no memory but the upload', async () => {
    const before = process.memoryUsage.rss();
    expect(await codeOf(slow)).toBe('accepted');
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
  });

  it('has no settings of ours, and ends with the process it works for, even one that is killed', async () => {
    await writeFile(join(dir, 'slow.avif'), slow);
    const source = join(import.meta.dirname, '../libs/platform/src/image-process.ts');
    const program = `import { drawApart } from ${JSON.stringify(source)};
      import { readFileSync } from 'node:fs';
      await drawApart(readFileSync(${JSON.stringify(join(dir, 'slow.avif'))}));`;
    await writeFile(join(dir, 'parent.mts'), program);
    const parent = spawn(process.execPath, ['--no-warnings', join(dir, 'parent.mts')], {
      env: { SECRET_KEY: 'a canary' },
      stdio: 'ignore',
    });
    const childrenOf = () => read(`/proc/${parent.pid}/task/${parent.pid}/children`).split(' ').filter(Boolean);
    const decoder = await until('it is being drawn', () => childrenOf().find(hasRead));
    expect(read(`/proc/${decoder}/environ`)).not.toContain('canary');
    parent.kill('SIGKILL');
    await until('the decoder has gone', () => !/^State:\t[^ZX]/m.test(statusOf(decoder)));
  });
});

/** Whether a decoder has its photo: it has grown far beyond what it begins with. */
function hasRead(pid: string): boolean {
  return Number(/^VmRSS:\s+(\d+)/m.exec(statusOf(pid))?.[1] ?? 0) > 150_000;
}

function statusOf(pid: string): string {
  return read(`/proc/${pid}/status`);
}

/** A process may be gone by now. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
