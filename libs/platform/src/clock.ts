import { Injectable } from '@nestjs/common';

/**
 * The wall clock of this process, for what people see (night, 'in the future').
 * Leases, expiries and everything that several processes must agree on use PostgreSQL's clock instead.
 */
@Injectable()
export class Clock {
  now(): Date {
    return new Date();
  }
}

/** Hour (0–23) of an instant in an IANA time zone. */
export function hourIn(zone: string, at: Date): number {
  return Number(new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone: zone }).format(at));
}
