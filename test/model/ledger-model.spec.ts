import { describe, expect, it } from '@jest/globals';
import { explore } from './explore.ts';
import { type Budget, LEDGER, type Rules } from './world.ts';

const NOTHING: Budget = {
  ...{ losses: 0, crashes: 0, ambiguous: 0, refusals: 0, faults: 0 },
  ...{ updates: 0, holds: 0, stops: 0, endings: 0, topUps: 0 },
};

/** What happens in a play, in any order and between any two statements; and the sizes of its two batches. */
type Play = readonly [name: string, happens: Partial<Budget>, sizes: readonly [number, number]];

const PLAYS: readonly Play[] = [
  ['nothing', {}, [2, 2]],
  ['two updates come', { updates: 2 }, [2, 1]],
  ['two workers die, and an ending comes', { crashes: 2, endings: 1 }, [2, 1]],
  ['a worker dies, and an update and an ending come', { crashes: 1, updates: 1, endings: 1 }, [1, 1]],
  ['a slow worker goes on, and an update and an ending come', { losses: 1, updates: 1, endings: 1 }, [1, 1]],
  ['a worker dies, and the alert is held, resumed and ended', { crashes: 1, holds: 1, endings: 1 }, [2, 1]],
  ['answers are lost, and the alert is stopped and ended', { ambiguous: 2, stops: 1, endings: 1 }, [2, 1]],
  ['a worker dies, people come late, and an ending comes', { crashes: 1, topUps: 1, endings: 1 }, [1, 1]],
  ['people come late, and an update and an ending come', { topUps: 1, updates: 1, endings: 1 }, [1, 1]],
  ['pushes are refused, a worker is slow, and an update comes', { refusals: 1, losses: 1, updates: 1 }, [2, 1]],
  ['work throws, a worker dies, and an ending comes', { faults: 1, crashes: 1, endings: 1 }, [2, 1]],
  ['work throws, and the alert is held while people come late', { faults: 1, holds: 1, topUps: 1 }, [1, 1]],
];

/** A million states and minutes: with `MODEL_DEEP=1`. */
const DEEP: readonly Play[] = [
  ['two workers die, and an update and an ending come', { crashes: 2, updates: 1, endings: 1 }, [1, 1]],
  ['slow workers go on, and an update and an ending come', { losses: 2, updates: 1, endings: 1 }, [1, 1]],
  ['one dies and one is slow, and it is held and ended', { crashes: 1, losses: 1, holds: 1, endings: 1 }, [1, 1]],
  ['one dies, people come late, an update, an ending', { crashes: 1, topUps: 1, updates: 1, endings: 1 }, [1, 1]],
  ['refusals, a slow worker and two updates', { refusals: 1, losses: 1, updates: 2 }, [1, 1]],
  ['work throws, one dies, an update, an ending', { faults: 1, crashes: 1, updates: 1, endings: 1 }, [1, 1]],
  ['everything but updates', { faults: 1, holds: 1, topUps: 1, losses: 1, endings: 1 }, [1, 1]],
];

/** What goes wrong without each rule, and what it takes. */
const MUTANTS: readonly (readonly [rule: keyof Rules, happens: Partial<Budget>, broken: string])[] = [
  ['fence', { losses: 1 }, 'more copies than the bound'],
  ['begin', { crashes: 1, endings: 1 }, 'misses the newest message'],
  ['overtaking', { stops: 1 }, 'asked after a stop'],
  ['bringUpAtSettling', { updates: 1 }, 'misses the newest message'],
  ['oneClaim', {}, 'more copies than the bound'],
  ['doubtIsSentAgain', { ambiguous: 1 }, 'was never asked'],
];

describe('the model of the ledger', () => {
  const plays = process.env['MODEL_DEEP'] ? [...PLAYS, ...DEEP] : PLAYS;
  it.each(plays)(
    'keeps its promises in every order when %s',
    (name, happens, sizes) => {
      const { states, ends, depth } = explore({ ...NOTHING, ...happens }, LEDGER, sizes);
      process.stdout.write(`model: ${name}: ${states} states, ${ends} ends, ${depth} steps deep\n`);
      expect(ends).toBeGreaterThan(0);
    },
    300_000,
  );

  it.each(MUTANTS)('breaks them without the rule `%s`', (rule, happens, broken) => {
    expect(() => explore({ ...NOTHING, ...happens }, { ...LEDGER, [rule]: false })).toThrow(broken);
  });
});
