import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Alert } from './alert.entity.ts';
import { AlertPhotoRepository } from './alert-photo.repository.ts';
import { AlertRepository } from './alert.repository.ts';
import { Message } from './message.entity.ts';
import { PublicAlerts } from './public-alerts.ts';
import { RecipientReferences } from './recipient-reference.ts';

/** What the public may see and answer: needs no queue, so that pages live while Redis is away. */
@Module({
  imports: [TypeOrmModule.forFeature([Alert, Message])],
  providers: [AlertPhotoRepository, AlertRepository, PublicAlerts, RecipientReferences],
  exports: [AlertPhotoRepository, AlertRepository, PublicAlerts, RecipientReferences],
})
export class PublicAlertsModule {}
