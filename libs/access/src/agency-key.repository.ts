import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { AgencyKey } from './agency-key.entity.ts';
import { Agency } from './agency.entity.ts';

@Injectable()
export class AgencyKeyRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** The key of a secret, unless it was revoked or its agency is frozen. */
  live(secretHash: Buffer): Promise<AgencyKey | null> {
    return this.dataSource.manager
      .createQueryBuilder(AgencyKey, 'key')
      .innerJoin(Agency, 'agency', 'agency.id = key.agencyId AND agency.frozenAt IS NULL')
      .where({ secretHash, revokedAt: IsNull() })
      .getOne();
  }
}
