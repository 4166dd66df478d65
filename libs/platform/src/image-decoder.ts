/**
 * A process of one photo: takes it from stdin, draws it anew and writes it to stdout. Started by image-process.ts, which holds
 * it to bounds of memory and time. It has no settings, no keys and no connections, and ends with the process that started it.
 */
import sharp from 'sharp';
import { EXIT, READY, RESULT_HEADER } from './image-protocol.ts';

/** Decoded pixels allowed: a 50-megapixel camera's photo fits, a decompression bomb does not. */
const PHOTO_MAX_PIXELS = 50_000_000;
/** The longer edge kept, in pixels: full screen on a phone, and about 200 kB. */
const PHOTO_EDGE = 1280;

/** The decoders' words for too many pixels and too little memory. */
const BEYOND_BOUNDS = /pixel limit|memory|creating thread/i;

sharp.cache(false);
sharp.concurrency(1);
// Whoever waits for the picture is gone: an ordinary exit would wait for the decoder's thread.
process.stdin.on('close', () => process.kill(process.pid, 'SIGKILL'));
process.stdout.write(READY);
process.exitCode = await work();
process.stdin.removeAllListeners('close').destroy();

async function work(): Promise<number> {
  try {
    const { data, info } = await reencode(await upload());
    const header = Buffer.alloc(RESULT_HEADER);
    header.writeUInt32BE(info.width, 0);
    header.writeUInt32BE(info.height, 4);
    process.stdout.write(Buffer.concat([header, data]));
    return EXIT.drawn;
  } catch (error) {
    return error instanceof Error && BEYOND_BOUNDS.test(error.message) ? EXIT.tooLarge : EXIT.notAnImage;
  }
}

/** As many bytes as the first four say; stdin stays open, so that its end tells that the other process has gone. */
function upload(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  process.stdin.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    const whole = bytes >= 4 ? Buffer.concat(chunks) : undefined;
    if (whole && whole.length - 4 >= whole.readUInt32BE(0)) resolve(whole.subarray(4));
    else if (whole) chunks.splice(0, chunks.length, whole);
  });
  return promise;
}

function reencode(photo: Buffer) {
  return sharp(photo, { limitInputPixels: PHOTO_MAX_PIXELS, failOn: 'error', pages: 1 })
    .autoOrient()
    .resize(PHOTO_EDGE, PHOTO_EDGE, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .jpeg({ quality: 80, mozjpeg: true })
    .toBuffer({ resolveWithObject: true });
}
