export type { AuditRecord, Scalar } from './audit-entry.ts';
export { AuditModule } from './audit.module.ts';
export { Audit } from './audit.service.ts';
