import { Module } from '@nestjs/common';
import { DispatchModule } from '#dispatch';
import { FreezingController } from './freezing.controller.ts';

@Module({ imports: [DispatchModule], controllers: [FreezingController] })
export class FreezingApi {}
