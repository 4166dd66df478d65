import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { extname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { EXIT, READY, RESULT_HEADER } from './image-protocol.ts';

/** What one photo may cost. Of 50 megapixels, which is all that is taken, an AVIF was measured at 1.8 GB and 2 s of CPU. */
export interface DecoderBounds {
  /** Private memory it may map (RLIMIT_DATA); Node itself begins with 0.6 GB, of which it uses a tenth. */
  readonly memoryKb: number;
  readonly cpuSeconds: number;
  /** For Node to start, which is no fault of the photo. */
  readonly startMs: number;
  /** From its first word on; longer than the processor's time, for others may want the processor, too. */
  readonly wallMs: number;
  /** Of the JPEG that comes out. */
  readonly resultBytes: number;
}

export const BOUNDS: DecoderBounds = {
  memoryKb: 2_000_000,
  cpuSeconds: 8,
  startMs: 30_000,
  wallMs: 30_000,
  resultBytes: 4 * 1024 * 1024,
};

export type Drawn =
  | { readonly kind: 'drawn'; readonly jpeg: Buffer; readonly width: number; readonly height: number }
  | { readonly kind: 'not_an_image' }
  | { readonly kind: 'too_large' };

type Decoder = ChildProcessByStdio<Writable, Readable, Readable>;

/** Beside this file: source under the tests, JavaScript when built. */
const ENTRY = fileURLToPath(new URL(`./image-decoder${extname(import.meta.url)}`, import.meta.url));

/** No core dumps, no files written, few descriptors, bounded memory and CPU; the shell becomes the decoder. */
const BOUNDED =
  'ulimit -c 0 && ulimit -f 0 && ulimit -n 64 && ulimit -d "$1" && ulimit -t "$2" && shift 2 && exec "$@"';
const NODE_FLAGS = ['--no-warnings', '--max-old-space-size=128'];
/** Nothing of ours: whoever takes over a decoder finds no key in its environment. */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '2' };

/**
 * Draws an upload anew in a process of its own, which is gone afterwards: one photo can neither exhaust us nor meet another.
 * @throws Error when the decoder cannot be started, which is no fault of the photo
 */
export async function drawApart(upload: Buffer, bounds: DecoderBounds = BOUNDS): Promise<Drawn> {
  const limits = [`${bounds.memoryKb}`, `${bounds.cpuSeconds}`];
  const decoder: Decoder = spawn('/bin/sh', ['-c', BOUNDED, 'sh', ...limits, process.execPath, ...NODE_FLAGS, ENTRY], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: ENVIRONMENT,
    cwd: '/',
  });
  const end = () => decoder.kill('SIGKILL');
  let deadline = setTimeout(end, bounds.startMs);
  decoder.stdout.once('data', () => {
    clearTimeout(deadline);
    deadline = setTimeout(end, bounds.wallMs);
  });
  try {
    const said = collect(decoder, bounds.resultBytes);
    // A decoder that has given up does not read to the end.
    decoder.stdin.on('error', () => undefined);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(upload.length);
    decoder.stdin.write(length);
    decoder.stdin.write(upload);
    return verdict(await said);
  } finally {
    clearTimeout(deadline);
    decoder.stdin.destroy();
  }
}

interface Said {
  readonly code: number | null;
  readonly out: Buffer;
  readonly trouble: string;
}

/** What the decoder wrote, once it has ended; one that writes more than a picture is ended. */
function collect(decoder: Decoder, mostBytes: number): Promise<Said> {
  const { promise, resolve, reject } = Promise.withResolvers<Said>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let trouble = '';
  decoder.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > mostBytes) decoder.kill('SIGKILL');
    else chunks.push(chunk);
  });
  decoder.stderr.on('data', (chunk: Buffer) => (trouble = (trouble + chunk.toString()).slice(0, 1000)));
  decoder.once('error', reject);
  decoder.once('close', (code) => resolve({ code, out: Buffer.concat(chunks), trouble }));
  return promise;
}

/** A decoder that dies at its work dies of the photo. */
function verdict({ code, out, trouble }: Said): Drawn {
  if (out.toString('latin1', 0, READY.length) !== READY || code === 1) {
    throw new Error(`the photo decoder does not work (exit ${code}): ${trouble}`);
  }
  if (code === EXIT.notAnImage) return { kind: 'not_an_image' };
  const result = out.subarray(READY.length);
  if (code !== EXIT.drawn || result.length <= RESULT_HEADER) return { kind: 'too_large' };
  const jpeg = result.subarray(RESULT_HEADER);
  return { kind: 'drawn', jpeg, width: result.readUInt32BE(0), height: result.readUInt32BE(4) };
}
