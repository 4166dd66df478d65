import { Body, Controller, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { AgencyKeyActor } from '#access';
import { Release } from '#dispatch';
import { ForAgencyKeys } from '../callers/audiences.ts';
import { CurrentActor, IdempotencyKey } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { submissionBody, submissionOf } from '../schemas/submission.ts';

const intakeAnswer = z.object({ id: uuid });

/** Cases from other police systems. */
@ApiTags('intake')
@Controller('v1/intake')
@ForAgencyKeys()
export class IntakeController {
  constructor(private readonly release: Release) {}

  @Post()
  @ApiOperation({ summary: 'Posts a case: it lands as submitted and is verified by a person like any other.' })
  @ApiResponse({ status: 201, description: 'Submitted; a repeat gives the same case.', standardSchema: intakeAnswer })
  async post(
    @CurrentActor() actor: AgencyKeyActor,
    @Body({ schema: submissionBody }) body: z.output<typeof submissionBody>,
    @IdempotencyKey() key: string,
  ): Promise<z.input<typeof intakeAnswer>> {
    const repeat = { scope: `intake:${actor.agencyId}`, key };
    return { id: await this.release.file(actor, submissionOf(body), repeat) };
  }
}
