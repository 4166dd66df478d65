import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThan } from 'typeorm';
import { Invitation } from './invitation.entity.ts';

@Injectable()
export class InvitationRepository {
  /** In the place of an earlier one. @returns when it ends. */
  async put(tx: EntityManager, officerId: string, secretHash: Buffer, hours: number): Promise<Date> {
    const [{ expiresAt }] = await tx.query<[{ expiresAt: Date }]>(
      `INSERT INTO invitations (officer_id, secret_hash, expires_at) VALUES ($1, $2, now() + make_interval(hours => $3))
       ON CONFLICT (officer_id) DO UPDATE
       SET secret_hash = excluded.secret_hash, created_at = now(), expires_at = excluded.expires_at
       RETURNING expires_at AS "expiresAt"`,
      [officerId, secretHash, hours],
    );
    return expiresAt;
  }

  /** @returns how many */
  async deleteExpired(tx: EntityManager): Promise<number> {
    const [, deleted] = await tx.query<[unknown[], number]>('DELETE FROM invitations WHERE expires_at < now()');
    return deleted;
  }

  /** Whether somebody can still set the officer's password by one. */
  async isOpen(tx: EntityManager, officerId: string): Promise<boolean> {
    return tx.existsBy(Invitation, { officerId, expiresAt: MoreThan(new Date()) });
  }

  async remove(tx: EntityManager, officerId: string): Promise<void> {
    await tx.delete(Invitation, { officerId });
  }
}
