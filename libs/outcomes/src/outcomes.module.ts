import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { CasesModule } from '#cases';
import { FunnelRepository } from './funnel.repository.ts';
import { Funnels } from './funnel.service.ts';
import { RetentionRepository } from './retention.repository.ts';
import { Retention } from './retention.service.ts';

@Module({
  imports: [AuditModule, CasesModule],
  providers: [Funnels, FunnelRepository, Retention, RetentionRepository],
  exports: [Funnels, Retention],
})
export class OutcomesModule {}
