import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SAME_BITS } from '#geo';
import { FRESH_DAYS } from './audience-statement.ts';

/** A device that may have entered some area, and the cell it is in now: its id without {@link SAME_BITS}. */
export interface Arrival {
  readonly deviceId: number;
  readonly cell: number;
}

const WANTED = 'EXISTS (SELECT FROM arrivals_wanted WHERE until > now())';

/**
 * In a statement that overwrites positions (`p`), whose old values stand in `held`: whether the device has come to where no wave can
 * have met it: it was elsewhere, or had been quiet for too long. A phone that only says that it is still there has not.
 */
export const HAS_ARRIVED = `(held.old_lon IS DISTINCT FROM p.lon OR held.old_lat IS DISTINCT FROM p.lat
  OR held.old_seen_at < now() - make_interval(days => ${FRESH_DAYS}))`;

/** Beside it: notes the `device_id` of each row of `moved` that has `arrived`. */
export const NOTE_ARRIVALS = `INSERT INTO arrivals (device_id) SELECT device_id FROM moved WHERE arrived AND ${WANTED}`;

@Injectable()
export class ArrivalRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** From now on and for so many seconds arrivals are noted. */
  async want(seconds: number): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO arrivals_wanted (until) VALUES (now() + make_interval(secs => $1))
       ON CONFLICT (the_only) DO UPDATE SET until = greatest(arrivals_wanted.until, excluded.until)`,
      [seconds],
    );
  }

  /** Empties the note. */
  async take(): Promise<number[]> {
    const [rows] = await this.dataSource.query<[{ id: number }[], number]>(
      'DELETE FROM arrivals RETURNING device_id AS id',
    );
    return [...new Set(rows.map((row) => row.id))];
  }

  /** Where these devices are now, by cell: those whose place is known. */
  placed(ids: readonly number[]): Promise<Arrival[]> {
    return this.dataSource.query<Arrival[]>(
      `SELECT device_id AS "deviceId", cell >> ${SAME_BITS} AS cell FROM positions
       WHERE device_id = ANY ($1::bigint[]) AND cell IS NOT NULL ORDER BY cell`,
      [ids],
    );
  }
}
