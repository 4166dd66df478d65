import { Body, Controller, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type OfficerActor, Reviews } from '#access';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { reviewsAnswer, reviewsQuery, verdictBody } from './officers.schemas.ts';

/** What one officer did alone, for another to look at. */
@ApiTags('reviews')
@Controller('v1/reviews')
@ForOfficers()
export class ReviewsController {
  constructor(private readonly reviews: Reviews) {}

  @Get()
  @ApiOperation({
    summary: 'Acts of one officer alone that wait for a review, or were settled, of the agency and those below.',
  })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Oldest first.', standardSchema: reviewsAnswer })
  async list(
    @CurrentOfficer() officer: OfficerActor,
    @Query({ schema: reviewsQuery }) query: z.output<typeof reviewsQuery>,
  ): Promise<z.input<typeof reviewsAnswer>> {
    const { reviews, next } = await this.reviews.list(officer, query);
    const shown = reviews.map(({ createdAt, settledAt, ...rest }) => ({
      ...rest,
      createdAt: createdAt.toISOString(),
      settledAt: settledAt?.toISOString() ?? null,
    }));
    return { reviews: shown, next };
  }

  @Post(':id')
  @ApiOperation({ summary: 'Settles a review, by another officer than the one who acted.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Settled.' })
  settle(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: verdictBody }) { verdict }: z.output<typeof verdictBody>,
  ): Promise<void> {
    return this.reviews.settle(officer, id, verdict);
  }
}
