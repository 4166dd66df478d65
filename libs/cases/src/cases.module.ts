import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccessModule } from '#access';
import { AuditModule } from '#audit';
import { Case } from './case.entity.ts';
import { CasePhoto } from './case-photo.entity.ts';
import { CaseRepository } from './case.repository.ts';
import { Cases } from './case.service.ts';

@Module({
  imports: [TypeOrmModule.forFeature([Case, CasePhoto]), AccessModule, AuditModule],
  providers: [Cases, CaseRepository],
  exports: [Cases],
})
export class CasesModule {}
