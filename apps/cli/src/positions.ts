import { DataSource } from 'typeorm';
import { type OrderReport, PositionOrder } from '#audience';
import { databaseOptions } from '#platform';
import { type Io, type Result, settings } from './io.ts';

/** Rows between two lines of progress. */
const LINE_ROWS = 500_000;

export function order(io: Io): Promise<Result> {
  return asOwner(io, async (positions) => told(await positions.report()));
}

export function reorder(io: Io): Promise<Result> {
  return asOwner(io, async (positions) => {
    let lines = 0;
    await positions.reorder((rows) => {
      if (rows < (lines + 1) * LINE_ROWS) return;
      lines = Math.floor(rows / LINE_ROWS);
      io.error(`${rows} copied`);
    });
    return told(await positions.report());
  });
}

export function abandon(io: Io): Promise<Result> {
  return asOwner(io, async (positions) => {
    await positions.abandon();
    return told(await positions.report());
  });
}

function told({ rows, pages, spread, begun, pays }: OrderReport): Result {
  return {
    positions: `${rows}`,
    pages: `${pages}`,
    spread: spread.toFixed(2),
    reordering: begun ? 'begun: `positions reorder` goes on, `positions abandon` gives up' : 'no',
    advice: pays ? 'reorder' : 'leave it',
  };
}

async function asOwner(io: Io, work: (positions: PositionOrder) => Promise<Result>): Promise<Result> {
  const options = databaseOptions(settings(io), 'golden72-positions');
  // No statement time-out: an index on a grown table takes as long as it takes.
  const database = new DataSource({ ...options, extra: { max: 2, options: '-c jit=off' } });
  await database.initialize();
  try {
    return await work(new PositionOrder(database));
  } finally {
    await database.destroy();
  }
}
