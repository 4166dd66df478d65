import { Module } from '@nestjs/common';
import { DispatchModule } from '#dispatch';
import { IntakeController } from './intake.controller.ts';

@Module({ imports: [DispatchModule], controllers: [IntakeController] })
export class IntakeApi {}
