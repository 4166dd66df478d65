import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Actor } from '#access';
import { type Photo, reencodePhoto, Refusal, Transactions } from '#platform';
import type { CaseRefusal } from './case.errors.ts';
import { Cases } from './case.service.ts';
import type { CasePhoto } from './case-photo.entity.ts';
import { CasePhotoRepository } from './case-photo.repository.ts';
import { CaseReads } from './case-reads.service.ts';

/** Photos a case may hold. */
const MAX_PHOTOS = 8;

/** Photos of the child. */
@Injectable()
export class CasePhotos {
  constructor(
    private readonly cases: Cases,
    private readonly photos: CasePhotoRepository,
    private readonly reads: CaseReads,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Keeps a re-encoded copy of an uploaded photo; the same picture again is the same photo.
   * @throws Refusal `photo_not_an_image`, `photo_too_large`, `too_many_photos`, `case_not_editable`, as
   *   {@link Cases.lockForPhotos}
   */
  async add(actor: Actor, caseId: string, upload: Buffer): Promise<Pick<CasePhoto, 'id' | 'width' | 'height'>> {
    await this.transactions.run(({ tx }) => this.cases.lockForPhotos(tx, actor, caseId));
    const photo = await reencodePhoto(upload);
    return this.transactions.run(async ({ tx }) => {
      const held = await this.cases.lockForPhotos(tx, actor, caseId);
      const same = await this.photos.same(tx, caseId, photo);
      if (same) return same;
      const known = await this.photos.list(caseId, tx);
      if (known.length >= MAX_PHOTOS) {
        throw new Refusal<CaseRefusal>('too_many_photos', `A case holds at most ${MAX_PHOTOS} photos.`);
      }
      const id = randomUUID();
      await this.photos.insert(tx, caseId, id, photo);
      await this.cases.addAuthor(tx, actor, held);
      await this.reads.record(tx, actor, held, { action: 'case.photo.add' });
      return { id, width: photo.width, height: photo.height };
    });
  }

  /** The picture itself; the read is audited. @throws Refusal `photo_not_found`, as {@link Cases.read} */
  async read(actor: Actor, caseId: string, photoId: string): Promise<Photo> {
    await this.cases.read(actor, caseId);
    return this.open(caseId, photoId);
  }

  /** A picture, for what has been authorised already. @throws Refusal `photo_not_found`, `case_erased` */
  async open(caseId: string, photoId: string, tx?: EntityManager): Promise<Photo> {
    const photo = await this.photos.open(caseId, photoId, tx);
    if (!photo) throw new Refusal<CaseRefusal>('photo_not_found', 'There is no such photo in this case.');
    return photo;
  }
}
