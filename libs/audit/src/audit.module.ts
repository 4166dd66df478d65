import { Module } from '@nestjs/common';
import { AuditRepository } from './audit.repository.ts';
import { Audit } from './audit.service.ts';
import { AuditVerification } from './audit-verification.service.ts';
import { Seals } from './seals.ts';

/** Needs a PlatformModule beside it. */
@Module({ providers: [Audit, AuditRepository, AuditVerification, Seals], exports: [Audit, AuditVerification] })
export class AuditModule {}
