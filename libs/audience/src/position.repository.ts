import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HAS_ARRIVED, NOTE_ARRIVALS } from './arrival.repository.ts';

/** A device's coarse place, as stored. */
export interface StoredPosition {
  readonly cell: bigint;
  readonly lon: number;
  readonly lat: number;
}

/** A place told by whoever holds a secret, of which only the hash is named. */
export type Move = StoredPosition & {
  /** SHA-256, in hex. */
  readonly secretHash: string;
};

/**
 * Proves each device by its secret and overwrites its row. Rows are locked in the order of their ids, so that two statements
 * that share devices wait for each other in turn.
 */
const UPDATE = `
  WITH given AS (
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::float8[], $4::float8[]) AS given (secret_hash, cell, lon, lat)
  ), held AS MATERIALIZED (
    SELECT p.device_id, given.*, p.lon AS old_lon, p.lat AS old_lat, p.seen_at AS old_seen_at
    FROM given JOIN devices d ON d.secret_hash = given.secret_hash JOIN positions p ON p.device_id = d.id
    ORDER BY p.device_id FOR NO KEY UPDATE OF p
  ), moved AS (
    UPDATE positions p SET cell = held.cell, lon = held.lon, lat = held.lat, seen_at = now()
    FROM held WHERE p.device_id = held.device_id
    RETURNING p.device_id, held.secret_hash, ${HAS_ARRIVED} AS arrived
  ), noted AS (
    ${NOTE_ARRIVALS}
  )
  SELECT secret_hash FROM moved`;

@Injectable()
export class PositionRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Of several moves of one device the last wins. @returns whether each move's device exists, in their order */
  async update(moves: readonly Move[]): Promise<boolean[]> {
    const latest = [...new Map(moves.map((move) => [move.secretHash, move])).values()];
    const moved = await this.dataSource.query<{ secret_hash: Buffer }[]>(UPDATE, [
      latest.map(({ secretHash }) => `\\x${secretHash}`),
      latest.map(({ cell }) => cell),
      latest.map(({ lon }) => lon),
      latest.map(({ lat }) => lat),
    ]);
    const known = new Set(moved.map((row) => row.secret_hash.toString('hex')));
    return moves.map(({ secretHash }) => known.has(secretHash));
  }
}
