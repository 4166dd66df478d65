/** Gathers receipts of many phones into requests of at most 500 items. */
export interface Receipt {
  readonly ref: string;
  readonly kind: 'received' | 'opened' | 'outside';
}

const MAX_ITEMS = 500;
/** A receipt waits at most about this long for company. */
const FLUSH_MS = 100;
/** Requests under way at once; more would only queue elsewhere. */
const MAX_POSTS = 4;
/** Beyond it the newest are dropped and counted as errors: phones have no endless memory either. */
const MAX_QUEUED = 1_000_000;

export class Receipts {
  readonly #post: (items: readonly Receipt[]) => Promise<void>;
  readonly #dropped: () => void;
  #queue: Receipt[] = [];
  #posting = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param post must not reject. */
  constructor(post: (items: readonly Receipt[]) => Promise<void>, dropped: () => void) {
    this.#post = post;
    this.#dropped = dropped;
  }

  /** Receipts not yet answered, and requests under way. */
  get pending(): number {
    return this.#queue.length + this.#posting;
  }

  add(receipt: Receipt): void {
    if (this.#queue.length >= MAX_QUEUED) {
      this.#dropped();
      return;
    }
    this.#queue.push(receipt);
    if (this.#queue.length >= MAX_ITEMS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.length > 0 && this.#posting < MAX_POSTS) {
      this.#posting++;
      void this.#post(this.#take()).then(() => {
        this.#posting--;
        if (this.#queue.length > 0) this.#flush();
      });
    }
  }

  #take(): Receipt[] {
    const rest = this.#queue.splice(MAX_ITEMS);
    const taken = this.#queue;
    this.#queue = rest;
    return taken;
  }
}
