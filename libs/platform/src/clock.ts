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

/** One a zone: making one takes longer than asking it a hundred times. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** Hour (0–23) of an instant in an IANA time zone. */
export function hourIn(zone: string, at: Date): number {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone: zone });
    formats.set(zone, format);
  }
  return Number(format.format(at));
}
