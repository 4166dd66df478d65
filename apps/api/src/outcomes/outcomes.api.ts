import { Module } from '@nestjs/common';
import { OutcomesModule } from '#outcomes';
import { OutcomesController } from './outcomes.controller.ts';

@Module({ imports: [OutcomesModule], controllers: [OutcomesController] })
export class OutcomesApi {}
