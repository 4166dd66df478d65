/** Something measured: given the round's number, it does its work once and tells its figure. */
export type Contender = (round: number) => Promise<number>;

/** A contender's figures over the rounds. */
export interface Sample {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly all: readonly number[];
}

/**
 * Runs every contender once a round, each round beginning with another one, so that what else the machine does, and
 * whatever a contender leaves behind, meets all alike.
 * @param warmUp rounds before the ones that count
 */
export async function alternate<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  { rounds, warmUp = 0, stop }: { readonly rounds: number; readonly warmUp?: number; readonly stop: AbortSignal },
): Promise<Record<Name, Sample>> {
  const entries = Object.entries(contenders) as [Name, Contender][];
  const figures = new Map<Name, number[]>(entries.map(([name]) => [name, []]));
  for (let round = 0 - warmUp; round < rounds; round++) {
    const first = (round + warmUp) % entries.length;
    for (const [name, contender] of [...entries.slice(first), ...entries.slice(0, first)]) {
      stop.throwIfAborted();
      const figure = await contender(round);
      if (round >= 0) figures.get(name)?.push(figure);
    }
  }
  return Object.fromEntries([...figures].map(([name, all]) => [name, sampleOf(all)])) as Record<Name, Sample>;
}

export function sampleOf(all: readonly number[]): Sample {
  return { median: quantile(all, 0.5), lowest: Math.min(...all), highest: Math.max(...all), all };
}

/**
 * How many times another's figure one is: the median over the rounds. Both of a round met the same machine; what it gives to one
 * round and not to another would else weigh more than what is compared.
 */
export function ratioOf(one: Sample, other: Sample): number {
  return quantile(
    one.all.map((figure, round) => figure / (other.all[round] as number)),
    0.5,
  );
}

/** The nearest rank, or the mean of the two in the middle. @throws RangeError without figures */
export function quantile(all: readonly number[], share: number): number {
  if (all.length === 0) throw new RangeError('no figures, no quantile');
  const sorted = all.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return share === 0.5 ? (low + high) / 2 : (sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] as number);
}
