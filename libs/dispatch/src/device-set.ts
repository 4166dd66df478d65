/** Ids of one chunk: 8 KB as bits. */
const CHUNK_BITS = 16;
const CHUNK = 2 ** CHUNK_BITS;

/** A set of device ids, a bit each: a million of ten million take 1.25 MB. */
export class DeviceSet {
  private readonly chunks: (Uint32Array | undefined)[] = [];

  has(id: number): boolean {
    const chunk = this.chunks[Math.floor(id / CHUNK)];
    const place = id % CHUNK;
    return chunk !== undefined && (((chunk[place >>> 5] ?? 0) >>> (place & 31)) & 1) === 1;
  }

  add(id: number): void {
    const chunk = (this.chunks[Math.floor(id / CHUNK)] ??= new Uint32Array(CHUNK / 32));
    const place = id % CHUNK;
    chunk[place >>> 5] = (chunk[place >>> 5] ?? 0) | (1 << (place & 31));
  }

  /** Adds what PostgreSQL's `array_send` gives of a `bigint[]` without nulls. */
  addSent(array: Buffer): void {
    for (let at = HEADER; at < array.length; at += ELEMENT) {
      this.add(array.readUInt32BE(at + LENGTH) * 2 ** 32 + array.readUInt32BE(at + LENGTH + 4));
    }
  }
}

/** array_send: dimensions, a flag, the element's type, and for one dimension its size and lower bound, 4 bytes each. */
const HEADER = 20;
/** Each element is 8 bytes after their number in 4. */
const LENGTH = 4;
const ELEMENT = LENGTH + 8;
