/** A numbered column of numbers that grows page by page: growing by copying would leave its old memory behind in pieces. */
const PAGE_BITS = 16;
const PAGE = 1 << PAGE_BITS;
const MASK = PAGE - 1;

type Numbers = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

export class Pages {
  readonly #Type: new (length: number) => Numbers;
  readonly #blank: number;
  readonly #pages: Numbers[] = [];

  /** @param blank what a number not yet set reads as. */
  constructor(Type: new (length: number) => Numbers, blank = 0) {
    this.#Type = Type;
    this.#blank = blank;
  }

  get(id: number): number {
    return this.#pages[id >>> PAGE_BITS]?.[id & MASK] ?? this.#blank;
  }

  set(id: number, value: number): void {
    const page = id >>> PAGE_BITS;
    while (this.#pages.length <= page) this.#pages.push(this.#page());
    const numbers = this.#pages[page];
    if (numbers !== undefined) numbers[id & MASK] = value;
  }

  #page(): Numbers {
    const page = new this.#Type(PAGE);
    return this.#blank === 0 ? page : page.fill(this.#blank);
  }
}
