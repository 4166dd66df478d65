export type { AuditRecord, Scalar } from './audit-entry.ts';
export { AuditModule } from './audit.module.ts';
export type { StoredEntry as AuditedEntry } from './audit.repository.ts';
export { Audit } from './audit.service.ts';
export { type AuditReport, AuditVerification, type ExportedEntry } from './audit-verification.service.ts';
export type { Anchor, ChainFault, FaultKind } from './chain.ts';
export { READ_REASONS, type ReadReason, readReason, type Why } from './why.ts';
