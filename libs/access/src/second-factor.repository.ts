import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SecondFactorRow } from './second-factor.entity.ts';

@Injectable()
export class SecondFactorRepository {
  find(tx: EntityManager, officerId: string): Promise<SecondFactorRow | null> {
    return tx.findOneBy(SecondFactorRow, { officerId });
  }

  /** Begins anew, unless one is confirmed. @returns whether it began. */
  async begin(tx: EntityManager, officerId: string, secret: Buffer): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `INSERT INTO second_factors AS factor (officer_id, secret) VALUES ($1, $2)
       ON CONFLICT (officer_id) DO UPDATE SET secret = excluded.secret, last_step = 0, created_at = now()
       WHERE factor.confirmed_at IS NULL RETURNING officer_id`,
      [officerId, secret],
    );
    return rows.length === 1;
  }

  async confirm(tx: EntityManager, officerId: string): Promise<void> {
    await tx.update(SecondFactorRow, { officerId }, { confirmedAt: () => 'now()' });
  }

  /** Marks a time step as used. @returns whether it and every later one were unused. */
  async useStep(tx: EntityManager, officerId: string, step: number): Promise<boolean> {
    const [rows] = await tx.query<[unknown[], number]>(
      'UPDATE second_factors SET last_step = $2 WHERE officer_id = $1 AND last_step < $2 RETURNING officer_id',
      [officerId, step],
    );
    return rows.length === 1;
  }

  /** Removes it with its recovery codes. @returns whether there was a confirmed one. */
  async remove(tx: EntityManager, officerId: string): Promise<boolean> {
    await tx.query('DELETE FROM recovery_codes WHERE officer_id = $1', [officerId]);
    const [rows] = await tx.query<[{ confirmed: boolean }[], number]>(
      'DELETE FROM second_factors WHERE officer_id = $1 RETURNING confirmed_at IS NOT NULL AS confirmed',
      [officerId],
    );
    return rows[0]?.confirmed ?? false;
  }

  async replaceRecoveryCodes(tx: EntityManager, officerId: string, hashes: readonly Buffer[]): Promise<void> {
    await tx.query('DELETE FROM recovery_codes WHERE officer_id = $1', [officerId]);
    await tx.query('INSERT INTO recovery_codes (officer_id, code_hash) SELECT $1, unnest($2::bytea[])', [
      officerId,
      hashes,
    ]);
  }

  /** @returns whether the code was there: it is not any more. */
  async useRecoveryCode(tx: EntityManager, officerId: string, hash: Buffer): Promise<boolean> {
    const [rows] = await tx.query<[unknown[], number]>(
      'DELETE FROM recovery_codes WHERE officer_id = $1 AND code_hash = $2 RETURNING officer_id',
      [officerId, hash],
    );
    return rows.length === 1;
  }

  async countRecoveryCodes(tx: EntityManager, officerId: string): Promise<number> {
    const [{ left }] = await tx.query<[{ left: number }]>(
      'SELECT count(*)::int AS left FROM recovery_codes WHERE officer_id = $1',
      [officerId],
    );
    return left;
  }
}
