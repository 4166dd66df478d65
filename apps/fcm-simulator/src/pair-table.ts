/**
 * Numbers pairs of 32-bit words 0, 1, 2 … in order of arrival: an open-addressing hash table in typed arrays, because a
 * million entries of a Map with string keys would cost ten times the memory.
 */
import { Pages } from './pages.ts';
import { mix } from './random.ts';

const FIRST_SLOTS = 1024;

export class PairTable {
  #size = 0;
  #slots = new Int32Array(FIRST_SLOTS);
  readonly #a = new Pages(Uint32Array);
  readonly #b = new Pages(Uint32Array);

  get size(): number {
    return this.#size;
  }

  /** First word of the pair that has this number. */
  first(id: number): number {
    return this.#a.get(id);
  }

  second(id: number): number {
    return this.#b.get(id);
  }

  /** The pair's number, or -1. */
  find(a: number, b: number): number {
    return (this.#slots[this.#slotOf(a >>> 0, b >>> 0)] ?? 0) - 1;
  }

  /** The pair's number, given now if it had none. */
  add(a: number, b: number): number {
    const [x, y] = [a >>> 0, b >>> 0];
    let slot = this.#slotOf(x, y);
    const known = (this.#slots[slot] ?? 0) - 1;
    if (known >= 0) return known;
    if ((this.#size + 1) * 4 > this.#slots.length * 3) {
      this.#rehash();
      slot = this.#slotOf(x, y);
    }
    this.#a.set(this.#size, x);
    this.#b.set(this.#size, y);
    this.#slots[slot] = ++this.#size;
    return this.#size - 1;
  }

  /** The slot that holds the pair, or the empty one where it belongs. */
  #slotOf(a: number, b: number): number {
    const mask = this.#slots.length - 1;
    let slot = mix(a, b) & mask;
    for (;;) {
      const id = (this.#slots[slot] ?? 0) - 1;
      if (id < 0 || (this.#a.get(id) === a && this.#b.get(id) === b)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let id = 0; id < this.#size; id++) {
      this.#slots[this.#slotOf(this.first(id), this.second(id))] = id + 1;
    }
  }
}
