import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { CasesModule } from '#cases';
import { SightingsRepository } from './sightings.repository.ts';
import { Sightings } from './sightings.service.ts';
import { TipLimiter } from './tip-limiter.ts';

@Module({
  imports: [AuditModule, CasesModule],
  providers: [Sightings, SightingsRepository, TipLimiter],
  exports: [Sightings, TipLimiter],
})
export class SightingsModule {}
