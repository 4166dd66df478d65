import { api } from './api.ts';
import { doors } from './doors.ts';
import { officers } from './officers.ts';
import { outages } from './outages.ts';
import { phones } from './phones.ts';
import { postgres } from './postgres.ts';
import { provider } from './provider.ts';
import { redis } from './redis.ts';
import type { Scenario } from './scenario.ts';
import { workers } from './workers.ts';

/** All that is broken, in the order in which it is. */
export const SCENARIOS: readonly Scenario[] = [
  ...workers,
  ...api,
  ...redis,
  ...postgres,
  ...provider,
  ...officers,
  ...phones,
  ...doors,
  ...outages,
];
