import { Platform1764000000001 } from './1764000000001-platform.ts';
import { Access1764000000002 } from './1764000000002-access.ts';
import { Audit1764000000003 } from './1764000000003-audit.ts';
import { Cases1764000000004 } from './1764000000004-cases.ts';
import { Audience1764000000005 } from './1764000000005-audience.ts';
import { Dispatch1764000000006 } from './1764000000006-dispatch.ts';
import { Engagement1764000000007 } from './1764000000007-engagement.ts';
import { Sightings1764000000008 } from './1764000000008-sightings.ts';

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
];
