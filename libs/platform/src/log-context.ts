import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';

/** Adds ids to every later log line of the request under way. */
@Injectable()
export class LogContext {
  constructor(private readonly logger: PinoLogger) {}

  note(ids: Readonly<Record<string, string>>): void {
    try {
      this.logger.assign(ids);
    } catch {
      // nestjs-pino throws outside of a request, where there is no line to add to.
    }
  }
}
