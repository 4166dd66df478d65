import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { requestLevel } from '../logging.ts';

/** The line of a finished request for routes that Nest's middleware does not see: the same one, and free where nobody reads it. */
@Injectable()
export class RequestLog {
  constructor(private readonly logger: PinoLogger) {}

  note({ raw: req }: FastifyRequest, { raw: res, elapsedTime }: FastifyReply): void {
    const level = requestLevel(res.statusCode, false);
    if (!this.logger.logger.isLevelEnabled(level)) return;
    this.logger.logger[level](
      { req, res, responseTime: Math.round(elapsedTime) },
      level === 'error' ? 'request errored' : 'request completed',
    );
  }
}
