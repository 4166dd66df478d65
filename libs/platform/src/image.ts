import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { drawApart } from './image-process.ts';
import { Refusal } from './refusal.ts';

export type ImageRefusal = 'photo_not_an_image' | 'photo_too_large' | 'photos_busy';

/** Bytes of an upload that are looked at at all; a phone's photo is 2–8 MB. */
export const PHOTO_MAX_BYTES = 12 * 1024 * 1024;
/** Each decoder takes a core and up to a gigabyte. */
const DECODERS = 2;
/** Uploads that wait for a decoder, each held in memory: a few seconds of them. */
const WAITING = 10;
const RETRY_AFTER_S = 5;

const decoding = pLimit(DECODERS);

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
 * What comes out was made by our encoder, in a process of its own: nothing hidden in the upload survives or reaches us.
 * @throws Refusal `photo_too_large`, `photo_not_an_image`, `photos_busy` with `retryAfter`, in seconds
 */
export async function reencodePhoto(upload: Buffer): Promise<Photo> {
  if (upload.length > PHOTO_MAX_BYTES) throw tooLarge();
  if (!beginsAsPhoto(upload)) throw notAnImage();
  if (decoding.pendingCount >= WAITING) throw busy();
  const drawn = await decoding(() => drawApart(upload));
  if (drawn.kind === 'too_large') throw tooLarge();
  if (drawn.kind === 'not_an_image') throw notAnImage();
  const { jpeg, width, height } = drawn;
  return { jpeg, sha256: createHash('sha256').update(jpeg).digest(), width, height };
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

function busy(): Refusal<ImageRefusal> {
  return new Refusal('photos_busy', 'Many photos are being read at this moment. Send yours again in a few seconds.', {
    retryAfter: RETRY_AFTER_S,
  });
}
