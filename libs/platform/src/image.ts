import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import sharp from 'sharp';
import { Refusal } from './refusal.ts';

export type ImageRefusal = 'photo_not_an_image' | 'photo_too_large';

/** Bytes of an upload that are looked at at all; a phone's photo is 2–8 MB. */
export const PHOTO_MAX_BYTES = 12 * 1024 * 1024;
/** Decoded pixels allowed: a 50-megapixel camera's photo fits, a decompression bomb does not. */
const PHOTO_MAX_PIXELS = 50_000_000;
/** The longer edge kept, in pixels: full screen on a phone, and about 200 kB. */
const PHOTO_EDGE = 1280;
/** 50 megapixels take up to two seconds (AVIF) on two cores; what takes longer is built to. */
const DECODE_TIMEOUT_S = 5;

/** Each decode holds one of libuv's four threads, which passwords, files and names are waiting for too. */
const decoding = pLimit(2);

/**
 * How the files that are decoded begin, as Latin-1. The decoder recognises more (SVG, TIFF), which no camera takes and
 * which can cost it seconds a kilobyte; no XML and no TIFF begins like these.
 * @see https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern
 * @see https://aomediacodec.github.io/av1-avif/#brands
 */
const BEGINNINGS = [
  /^\xff\xd8\xff/,
  /^\x89PNG\r\n[^]\n/,
  /^GIF8[79]a/,
  /^RIFF[^]{4}WEBPVP/,
  // The length of the first box, which is far under 64 kB.
  /^\0\0[^]{2}ftypavi[fs]/,
];

export interface Photo {
  readonly jpeg: Buffer;
  readonly sha256: Buffer;
  readonly width: number;
  readonly height: number;
}

/**
 * Re-encodes an uploaded JPEG, PNG, WebP, AVIF or GIF as an upright JPEG without any metadata (EXIF holds places and names).
 * What comes out was made by our encoder: nothing hidden in the upload survives.
 * @throws Refusal `photo_too_large`, `photo_not_an_image`
 */
export async function reencodePhoto(upload: Buffer): Promise<Photo> {
  if (upload.length > PHOTO_MAX_BYTES) throw tooLarge();
  if (!beginsAsPhoto(upload)) throw notAnImage();
  try {
    return await decoding(reencode, upload);
  } catch (error) {
    throw error instanceof Error && /pixel limit|timeout/.test(error.message) ? tooLarge() : notAnImage();
  }
}

async function reencode(upload: Buffer): Promise<Photo> {
  const { data, info } = await sharp(upload, { limitInputPixels: PHOTO_MAX_PIXELS, failOn: 'error', pages: 1 })
    .timeout({ seconds: DECODE_TIMEOUT_S })
    .autoOrient()
    .resize(PHOTO_EDGE, PHOTO_EDGE, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .jpeg({ quality: 80, mozjpeg: true })
    .toBuffer({ resolveWithObject: true });
  return { jpeg: data, sha256: createHash('sha256').update(data).digest(), width: info.width, height: info.height };
}

function beginsAsPhoto(upload: Buffer): boolean {
  const beginning = upload.toString('latin1', 0, 16);
  return BEGINNINGS.some((pattern) => pattern.test(beginning));
}

function notAnImage(): Refusal<ImageRefusal> {
  return new Refusal(
    'photo_not_an_image',
    'The file is not a picture that can be read. Send a JPEG, PNG, WebP, AVIF or GIF file.',
  );
}

function tooLarge(): Refusal<ImageRefusal> {
  return new Refusal(
    'photo_too_large',
    'The photo is over 12 MB or 50 megapixels, or takes too long to read. Send a smaller one.',
  );
}
