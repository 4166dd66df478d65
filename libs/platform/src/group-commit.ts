import { isUnavailable } from './http/unavailable.ts';
import { Refusal } from './refusal.ts';

/** Refusals made before a write is begun. */
export type GroupCommitRefusal = 'overloaded';

/** Statements under way at once: while one waits for the disk, PostgreSQL works on another. */
const UNDER_WAY = 2;

/** Seconds after which a refused writer may come again: each is told another, or all would come back at once. */
const RETRY_AFTER_S = { least: 2, most: 10 } as const;

export interface GroupCommitOptions<Item, Answer> {
  /**
   * Writes a group in one transaction, in an order of locks that is the same for all groups; an item that comes after another
   * of the same thing wins. Must bear being repeated.
   * @returns one answer an item, in their order, once it is committed
   */
  readonly write: (items: readonly Item[]) => Promise<readonly Answer[]>;
  /** What an item weighs, e.g. its rows; 1 when left out. */
  readonly weigh?: (item: Item) => number;
  /** Weight of one group at most; an item that is heavier is a group of its own. */
  readonly groupWeight: number;
  /** Weight that may wait; what comes beyond is refused. */
  readonly waitingWeight: number;
}

/** Hears how a group commit does. */
export interface GroupCommitObserver {
  /** One group is committed. @param ms from the statement's begin to its commit */
  wrote(weight: number, ms: number): void;
  /** One item was not taken. */
  refused(): void;
}

interface Waiting<Item, Answer> {
  readonly item: Item;
  readonly weight: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Many small writes as few statements: what comes while one is under way is written together by the next, and everyone is
 * answered after the commit that holds their own. A write that comes alone waits for nobody.
 */
export class GroupCommit<Item, Answer> {
  private queue: Waiting<Item, Answer>[] = [];
  private waitingWeight = 0;
  private readonly underWay = new Set<Promise<void>>();
  private scheduled = false;

  constructor(
    private readonly options: GroupCommitOptions<Item, Answer>,
    private readonly observer?: GroupCommitObserver,
  ) {}

  /** Weight that waits for a statement. */
  get waiting(): number {
    return this.waitingWeight;
  }

  /** The same as a share of what may wait. */
  get fullness(): number {
    return this.waitingWeight / this.options.waitingWeight;
  }

  /**
   * Resolves once the item is committed.
   * @throws Refusal `overloaded` when too much waits: the item is not written
   * @throws whatever kept its own group, or itself alone, from being written
   */
  add(item: Item): Promise<Answer> {
    const weight = this.options.weigh?.(item) ?? 1;
    if (this.waitingWeight > 0 && this.waitingWeight + weight > this.options.waitingWeight) {
      this.observer?.refused();
      return Promise.reject(overloaded());
    }
    return new Promise((resolve, reject) => {
      this.queue.push({ item, weight, resolve, reject });
      this.waitingWeight += weight;
      this.schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way; never rejects. */
  async drain(): Promise<void> {
    for (;;) {
      this.begin();
      if (this.underWay.size === 0) return;
      await Promise.race(this.underWay);
    }
  }

  /** At the end of this turn of the event loop, so that all requests read in it share a group. */
  private schedule(): void {
    if (this.scheduled || !this.mayBegin()) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.begin();
    });
  }

  /** Beside others only a whole group is worth a statement: what is less gathers until one of them ends. */
  private mayBegin(): boolean {
    if (this.queue.length === 0 || this.underWay.size >= UNDER_WAY) return false;
    return this.underWay.size === 0 || this.waitingWeight >= this.options.groupWeight;
  }

  private begin(): void {
    while (this.mayBegin()) {
      const written = this.write(this.takeGroup()).finally(() => {
        this.underWay.delete(written);
        this.begin();
      });
      this.underWay.add(written);
    }
  }

  private takeGroup(): Waiting<Item, Answer>[] {
    let weight = 0;
    const tooMuch = this.queue.findIndex((each, place) => {
      weight += each.weight;
      return place > 0 && weight > this.options.groupWeight;
    });
    const group = this.queue.splice(0, tooMuch === -1 ? this.queue.length : tooMuch);
    this.waitingWeight -= weightOf(group);
    return group;
  }

  /** Never rejects. A group that fails for what is in it is halved until only the items at fault fail. */
  private async write(group: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const began = performance.now();
      const answers = await this.options.write(group.map(({ item }) => item));
      this.observer?.wrote(weightOf(group), performance.now() - began);
      group.forEach(({ resolve }, place) => resolve(answers[place] as Answer));
    } catch (error) {
      if (group.length === 1 || isUnavailable(error)) return group.forEach(({ reject }) => reject(error));
      const half = Math.ceil(group.length / 2);
      await this.write(group.slice(0, half));
      await this.write(group.slice(half));
    }
  }
}

function weightOf(group: readonly { readonly weight: number }[]): number {
  return group.reduce((sum, { weight }) => sum + weight, 0);
}

function overloaded(): Refusal<GroupCommitRefusal> {
  const { least, most } = RETRY_AFTER_S;
  const retryAfter = least + Math.floor(Math.random() * (most - least + 1));
  return new Refusal('overloaded', 'Too many write at once: nothing was stored. Try again in a moment.', {
    retryAfter,
  });
}
