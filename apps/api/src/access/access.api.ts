import { Module } from '@nestjs/common';
import { AccessModule } from '#access';
import { AuditModule } from '#audit';
import { SessionController } from './session.controller.ts';

@Module({ imports: [AccessModule, AuditModule], controllers: [SessionController] })
export class AccessApi {}
