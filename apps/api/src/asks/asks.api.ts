import { Module } from '@nestjs/common';
import { DispatchModule } from '#dispatch';
import { AsksController } from './asks.controller.ts';

@Module({ imports: [DispatchModule], controllers: [AsksController] })
export class AsksApi {}
