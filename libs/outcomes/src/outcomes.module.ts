import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { CasesModule } from '#cases';
import { FunnelRepository } from './funnel.repository.ts';
import { Funnels } from './funnel.service.ts';

@Module({ imports: [AuditModule, CasesModule], providers: [Funnels, FunnelRepository], exports: [Funnels] })
export class OutcomesModule {}
