import { Module } from '@nestjs/common';
import { AccessModule } from '#access';
import { AuditController } from './audit.controller.ts';

@Module({ imports: [AccessModule], controllers: [AuditController] })
export class AuditApi {}
