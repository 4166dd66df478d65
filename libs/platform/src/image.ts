import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { Refusal } from './refusal.ts';

export type ImageRefusal = 'photo_not_an_image' | 'photo_too_large';

/** Bytes of an upload that are looked at at all; a phone's photo is 2–8 MB. */
export const PHOTO_MAX_BYTES = 12 * 1024 * 1024;
/** Decoded pixels allowed: a 50-megapixel camera's photo fits, a decompression bomb does not. */
const PHOTO_MAX_PIXELS = 50_000_000;
/** The longer edge kept, in pixels: full screen on a phone, and about 200 kB. */
const PHOTO_EDGE = 1280;

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
  try {
    const { data, info } = await sharp(upload, { limitInputPixels: PHOTO_MAX_PIXELS, failOn: 'error', pages: 1 })
      .autoOrient()
      .resize(PHOTO_EDGE, PHOTO_EDGE, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .jpeg({ quality: 80, mozjpeg: true })
      .toBuffer({ resolveWithObject: true });
    return {
      jpeg: data,
      sha256: createHash('sha256').update(data).digest(),
      width: info.width,
      height: info.height,
    };
  } catch (error) {
    if (error instanceof Error && error.message.includes('pixel limit')) throw tooLarge();
    throw new Refusal<ImageRefusal>(
      'photo_not_an_image',
      'The file is not a picture that can be read. Send a JPEG, PNG, WebP, AVIF or GIF file.',
    );
  }
}

function tooLarge(): Refusal<ImageRefusal> {
  return new Refusal('photo_too_large', 'The photo is over 12 MB or 50 megapixels. Send a smaller one.');
}
