import { Module } from '@nestjs/common';
import { AuditRepository } from './audit.repository.ts';
import { Audit } from './audit.service.ts';

@Module({ providers: [Audit, AuditRepository], exports: [Audit] })
export class AuditModule {}
