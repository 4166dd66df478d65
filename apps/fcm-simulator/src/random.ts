/** Numbers in [0, 1) from a seed: the same seed gives the same run. */
export type Random = () => number;

const GOLDEN = 0x9e3779b9;

/** Avalanches two 32-bit words into one, so that neighbouring inputs give unrelated outputs. */
export function mix(a: number, b: number): number {
  let h = (a ^ Math.imul(b, GOLDEN)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A counter through {@link mix}: enough for drawing latencies and faults, not for secrets. */
export function seededRandom(seed: number): Random {
  let state = mix(seed, 1);
  return () => {
    state = (state + GOLDEN) >>> 0;
    return mix(state, seed) / 0x1_0000_0000;
  };
}

/** A 32-bit hash of a text; two of different lanes together tell a million texts apart (64 bits). */
export function hashText(text: string, lane: 1 | 2): number {
  const prime = lane === 1 ? 0x01000193 : 0x5bd1e995;
  let h = lane === 1 ? 0x811c9dc5 : 0x2f0b4c47;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), prime) ^ (h >>> 15);
  return mix(h, text.length);
}

/** A number in [0, 1) fixed by what it is made of: the same phone always decides the same way. */
export function fixedChance(hi: number, lo: number, purpose: number, seed: number): number {
  return mix(hi ^ mix(lo, purpose), seed) / 0x1_0000_0000;
}
