import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Photo } from '#platform';
import { CaseKeys } from './case-keys.service.ts';
import { CasePhoto } from './case-photo.entity.ts';

const partOf = (photoId: string) => `photo:${photoId}`;

/** Photos, sealed under the key of their case. */
@Injectable()
export class CasePhotoRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keys: CaseKeys,
  ) {}

  /** Oldest first, without their bytes. */
  list(caseId: string, tx: EntityManager = this.dataSource.manager): Promise<CasePhoto[]> {
    return tx.find(CasePhoto, { where: { caseId }, order: { createdAt: 'ASC' } });
  }

  /** The photo of the case that is the same picture. */
  async same(tx: EntityManager, caseId: string, { sha256 }: Pick<Photo, 'sha256'>): Promise<CasePhoto | null> {
    const key = await this.keys.of(caseId, tx);
    return tx.findOneBy(CasePhoto, { caseId, digest: key.digest(sha256) });
  }

  async insert(tx: EntityManager, caseId: string, id: string, { jpeg, sha256, width, height }: Photo): Promise<void> {
    const key = await this.keys.of(caseId, tx);
    const sealed = key.seal(partOf(id), jpeg);
    await tx.insert(CasePhoto, { id, caseId, sealed, digest: key.digest(sha256), width, height });
  }

  /** The picture itself. */
  async open(caseId: string, id: string, tx: EntityManager = this.dataSource.manager): Promise<Photo | null> {
    const row = await tx.createQueryBuilder(CasePhoto, 'p').addSelect('p.sealed').where({ caseId, id }).getOne();
    if (!row) return null;
    const { sealed, width, height } = row;
    const jpeg = (await this.keys.of(caseId, tx)).open(partOf(id), sealed);
    return { jpeg, sha256: createHash('sha256').update(jpeg).digest(), width, height };
  }

  async removeAll(tx: EntityManager, caseId: string): Promise<void> {
    await tx.delete(CasePhoto, { caseId });
  }
}
