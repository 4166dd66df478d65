import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '#access';
import { AuditModule } from '#audit';
import { StoredCase } from './case.entity.ts';
import { CaseKeyRepository } from './case-key.repository.ts';
import { CaseKeys } from './case-keys.service.ts';
import { CasePhoto } from './case-photo.entity.ts';
import { CasePhotoRepository } from './case-photo.repository.ts';
import { CasePhotos } from './case-photos.service.ts';
import { CaseReads } from './case-reads.service.ts';
import { CaseRepository } from './case.repository.ts';
import { Cases } from './case.service.ts';
import { Conflicts } from './conflicts.service.ts';

@Module({
  imports: [TypeOrmModule.forFeature([StoredCase, CasePhoto]), AccessModule, AuditModule],
  providers: [
    CaseKeyRepository,
    CaseKeys,
    CasePhotoRepository,
    CasePhotos,
    CaseReads,
    CaseRepository,
    Cases,
    Conflicts,
  ],
  exports: [CaseKeys, CasePhotos, CaseReads, Cases, Conflicts],
})
export class CasesModule {}
