import { Module } from '@nestjs/common';
import { PublicAlertsModule } from '#dispatch';
import { ForwardTokens } from './forward-tokens.ts';
import { ForwardsRepository } from './forwards.repository.ts';
import { Forwards } from './forwards.service.ts';
import { OpenAlerts } from './open-alerts.ts';
import { ReceiptsRepository } from './receipts.repository.ts';
import { Receipts } from './receipts.service.ts';
import { ViewsRepository } from './views.repository.ts';
import { Views } from './views.service.ts';

@Module({
  imports: [PublicAlertsModule],
  providers: [
    ForwardTokens,
    Forwards,
    ForwardsRepository,
    OpenAlerts,
    Receipts,
    ReceiptsRepository,
    Views,
    ViewsRepository,
  ],
  exports: [Forwards, OpenAlerts, Receipts, Views],
})
export class EngagementModule {}
