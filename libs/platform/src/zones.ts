import { Injectable } from '@nestjs/common';
import { ZonesRepository } from './zones.repository.ts';

/** Time zones that both clocks here agree on: this process's (Intl) and PostgreSQL's. */
@Injectable()
export class Zones {
  private names: Promise<ReadonlySet<string>> | undefined;

  constructor(private readonly zones: ZonesRepository) {}

  /** Whether `name` is an IANA zone, e.g. `Asia/Shanghai`, as PostgreSQL spells it: never an offset, which it reads with the POSIX sign. */
  async isKnown(name: string): Promise<boolean> {
    return isKnownToIntl(name) && (await this.inPostgres()).has(name);
  }

  /** PostgreSQL reads a directory for them, so they are asked for once. */
  private inPostgres(): Promise<ReadonlySet<string>> {
    this.names ??= this.zones.names().then(
      (names) => new Set(names),
      (error: unknown) => {
        this.names = undefined;
        throw error;
      },
    );
    return this.names;
  }
}

function isKnownToIntl(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
