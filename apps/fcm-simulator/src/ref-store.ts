/** One short text per number, packed in chunks of bytes: a million references cost their bytes and six each. */
import { Pages } from './pages.ts';

const CHUNK_BYTES = 1 << 20;
/** References are tens of bytes; a longer text than this is not kept. */
const MAX_BYTES = 512;

export class RefStore {
  readonly #chunks: Buffer[] = [];
  #used = CHUNK_BYTES;
  /** Place of the first byte, over all chunks: up to 4 GiB. */
  readonly #places = new Pages(Uint32Array);
  readonly #lengths = new Pages(Uint16Array);

  get(id: number): string {
    const length = this.#lengths.get(id);
    const place = this.#places.get(id);
    const start = place % CHUNK_BYTES;
    return length === 0
      ? ''
      : (this.#chunks[Math.floor(place / CHUNK_BYTES)]?.toString('utf8', start, start + length) ?? '');
  }

  /** Keeps the text; a later one that fits takes the place of the one before. */
  set(id: number, text: string): void {
    const bytes = Buffer.byteLength(text);
    const length = bytes > MAX_BYTES ? 0 : bytes;
    if (length > this.#lengths.get(id)) this.#places.set(id, this.#claim(length));
    this.#lengths.set(id, length);
    const place = this.#places.get(id);
    if (length > 0) this.#chunks[Math.floor(place / CHUNK_BYTES)]?.write(text, place % CHUNK_BYTES, length, 'utf8');
  }

  #claim(length: number): number {
    if (this.#used + length > CHUNK_BYTES) {
      this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES));
      this.#used = 0;
    }
    const place = (this.#chunks.length - 1) * CHUNK_BYTES + this.#used;
    this.#used += length;
    return place;
  }
}
