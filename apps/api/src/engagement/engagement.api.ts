import { Module } from '@nestjs/common';
import { EngagementModule } from '#engagement';
import { EngagementController } from './engagement.controller.ts';

@Module({ imports: [EngagementModule], controllers: [EngagementController] })
export class EngagementApi {}
