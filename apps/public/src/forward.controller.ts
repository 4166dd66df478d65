import { Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ForwardLimiter, Forwards } from '#engagement';
import { isRefusal } from '#platform';

const forwardRequest = z.strictObject({ parent: z.string().max(64) });

const STATUS: Readonly<Record<string, number>> = {
  reference_invalid: 422,
  alert_ended: 410,
  too_many_forwards: 429,
};

/** Gives a visitor who sends the page on a link of their own, under the one they came by. For the page's script. */
@Controller('a/:slug/forward')
export class ForwardController {
  constructor(
    private readonly forwards: Forwards,
    private readonly limiter: ForwardLimiter,
  ) {}

  @Post()
  async forward(
    @Param('slug') slug: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    void reply.header('cache-control', 'no-store');
    const asked = forwardRequest.safeParse(body);
    if (!asked.success) return problem(reply, 400, 'invalid_request');
    try {
      await this.limiter.consume(request.ip);
      void reply.status(201).send(await this.forwards.fromForward(asked.data.parent, slug));
    } catch (error) {
      const status = isRefusal(error) ? STATUS[error.code] : undefined;
      if (status === undefined || !isRefusal(error)) throw error;
      const { retryAfter } = error.members;
      if (typeof retryAfter === 'number') void reply.header('retry-after', `${retryAfter}`);
      problem(reply, status, error.code);
    }
  }
}

/** RFC 9457. */
function problem(reply: FastifyReply, status: number, code: string): void {
  const document = { type: `urn:golden72:problem:${code}`, title: 'The link could not be made.', status, code };
  void reply.status(status).type('application/problem+json').send(JSON.stringify(document));
}
