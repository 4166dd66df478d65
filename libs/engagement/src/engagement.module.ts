import { Module } from '@nestjs/common';
import { PublicAlertsModule } from '#dispatch';
import { EngagementRetentionRepository } from './engagement-retention.repository.ts';
import { EngagementRetention } from './engagement-retention.service.ts';
import { ForwardLimiter } from './forward-limiter.ts';
import { ForwardTokens } from './forward-tokens.ts';
import { ForwardsRepository } from './forwards.repository.ts';
import { Forwards } from './forwards.service.ts';
import { OpenAlerts } from './open-alerts.ts';
import { OpenAlertsRepository } from './open-alerts.repository.ts';
import { ReceiptsRepository } from './receipts.repository.ts';
import { Receipts } from './receipts.service.ts';
import { ViewsRepository } from './views.repository.ts';
import { Views } from './views.service.ts';

@Module({
  imports: [PublicAlertsModule],
  providers: [
    EngagementRetention,
    EngagementRetentionRepository,
    ForwardLimiter,
    ForwardTokens,
    Forwards,
    ForwardsRepository,
    OpenAlerts,
    OpenAlertsRepository,
    Receipts,
    ReceiptsRepository,
    Views,
    ViewsRepository,
  ],
  exports: [EngagementRetention, ForwardLimiter, Forwards, OpenAlerts, Receipts, Views],
})
export class EngagementModule {}
