import { Platform1764000000001 } from './1764000000001-platform.ts';
import { Access1764000000002 } from './1764000000002-access.ts';
import { Audit1764000000003 } from './1764000000003-audit.ts';
import { Cases1764000000004 } from './1764000000004-cases.ts';
import { Audience1764000000005 } from './1764000000005-audience.ts';
import { Dispatch1764000000006 } from './1764000000006-dispatch.ts';
import { Engagement1764000000007 } from './1764000000007-engagement.ts';
import { Sightings1764000000008 } from './1764000000008-sightings.ts';
import { Authority1764000000009 } from './1764000000009-authority.ts';
import { CasePrivacy1764000000010 } from './1764000000010-case-privacy.ts';
import { AlertChanges1764000000011 } from './1764000000011-alert-changes.ts';
import { AlertLands1764000000012 } from './1764000000012-alert-lands.ts';
import { AuditOrigin1764000000013 } from './1764000000013-audit-origin.ts';
import { Retention1764000000014 } from './1764000000014-retention.ts';
import { IdentityProviders1764000000015 } from './1764000000015-identity-providers.ts';
import { RetentionIndexes1764000000016 } from './1764000000016-retention-indexes.ts';
import { Ladder1764000000017 } from './1764000000017-ladder.ts';
import { TopUp1764000000018 } from './1764000000018-top-up.ts';
import { BatchCounts1764000000019 } from './1764000000019-batch-counts.ts';
import { DeploymentIdentity1764000000020 } from './1764000000020-deployment-identity.ts';
import { KeepingPromises1764000000021 } from './1764000000021-keeping-promises.ts';

/** Every migration, oldest first. */
export const MIGRATIONS = [
  Platform1764000000001,
  Access1764000000002,
  Audit1764000000003,
  Cases1764000000004,
  Audience1764000000005,
  Dispatch1764000000006,
  Engagement1764000000007,
  Sightings1764000000008,
  Authority1764000000009,
  CasePrivacy1764000000010,
  AlertChanges1764000000011,
  AlertLands1764000000012,
  AuditOrigin1764000000013,
  Retention1764000000014,
  IdentityProviders1764000000015,
  RetentionIndexes1764000000016,
  Ladder1764000000017,
  TopUp1764000000018,
  BatchCounts1764000000019,
  DeploymentIdentity1764000000020,
  KeepingPromises1764000000021,
];
