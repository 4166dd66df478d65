import { Module } from '@nestjs/common';
import { OutcomesModule } from '#outcomes';
import { RetentionController } from './retention.controller.ts';

@Module({ imports: [OutcomesModule], controllers: [RetentionController] })
export class RetentionApi {}
