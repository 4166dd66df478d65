import { Module } from '@nestjs/common';
import { DispatchModule } from '#dispatch';
import { AlertsController } from './alerts.controller.ts';
import { ChangesController } from './changes.controller.ts';
import { HoldsController } from './holds.controller.ts';

@Module({ imports: [DispatchModule], controllers: [AlertsController, ChangesController, HoldsController] })
export class AlertsApi {}
