import { Module } from '@nestjs/common';
import { DispatchModule } from '#dispatch';
import { AlertsController } from './alerts.controller.ts';

@Module({ imports: [DispatchModule], controllers: [AlertsController] })
export class AlertsApi {}
