/** Holds a million things to be done later behind one timer: due times are rounded up to a tick. */
const TICK_MS = 10;

export class DelayWheel<T> {
  readonly #run: (item: T) => void;
  readonly #ticks = new Map<number, T[]>();
  #next = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #closed = false;

  constructor(run: (item: T) => void) {
    this.#run = run;
  }

  get size(): number {
    return this.#size;
  }

  add(delayMs: number, item: T): void {
    if (this.#closed) return;
    const tick = Math.ceil((performance.now() + delayMs) / TICK_MS);
    const items = this.#ticks.get(tick);
    if (items === undefined) this.#ticks.set(tick, [item]);
    else items.push(item);
    this.#size++;
    if (tick < this.#next) this.#arm(tick);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#ticks.clear();
    this.#size = 0;
  }

  #arm(tick: number): void {
    clearTimeout(this.#timer);
    this.#next = tick;
    this.#timer = setTimeout(() => this.#turn(), Math.max(0, tick * TICK_MS - performance.now()));
  }

  #turn(): void {
    const now = performance.now() / TICK_MS;
    this.#next = Infinity;
    for (const tick of [...this.#ticks.keys()].filter((due) => due <= now).sort((a, b) => a - b)) {
      const items = this.#ticks.get(tick) ?? [];
      this.#ticks.delete(tick);
      for (const item of items) {
        this.#size--;
        this.#run(item);
      }
    }
    if (this.#ticks.size > 0) this.#arm(Math.min(...this.#ticks.keys()));
  }
}
