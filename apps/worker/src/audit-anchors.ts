import { Injectable, Logger } from '@nestjs/common';
import { AuditVerification } from '#audit';

/** Tells the audit chains' heads to the log, which lives apart from the database: `audit verify --anchors` reads them there. */
@Injectable()
export class AuditAnchors {
  private readonly logger = new Logger(AuditAnchors.name);

  constructor(private readonly audit: AuditVerification) {}

  async tell(): Promise<void> {
    for await (const anchor of this.audit.anchors()) this.logger.log({ anchor }, 'audit anchor');
  }
}
