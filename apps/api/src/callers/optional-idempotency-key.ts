import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { idempotencyKey } from '../schemas/common.ts';
import { invalidRequest } from '../validation.pipe.ts';

const optionalKey = idempotencyKey.optional();

/** The `Idempotency-Key` header where a client may leave it out: a tip in ten seconds must not fail for want of one. */
export const OptionalIdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const given = context.switchToHttp().getRequest<FastifyRequest>().headers['idempotency-key'];
  const parsed = optionalKey.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues, 'Idempotency-Key');
});

/** Beside {@link OptionalIdempotencyKey}, for the OpenAPI document. */
export const DocumentIdempotencyKey = () =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description: 'Your own name for this request: a repeat has no effect and gets the same answer.',
    schema: { type: 'string' },
  });
