import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ForwardLimiter, type ForwardLink, Forwards, type ReceiptAnswer, Receipts } from '#engagement';
import { Public } from '../callers/audiences.ts';
import { ClientAddress } from '../callers/parameters.ts';
import { FromRecipients } from '../callers/rate-limits.ts';
import { Direct } from '../direct-routes.ts';
import { forwardAnswer, forwardBody, receiptsAnswer, receiptsBody } from './engagement.schemas.ts';

/** What phones tell. The reference in a push is the credential: no device names itself. */
@ApiTags('engagement')
@Controller('v1')
@Public()
@FromRecipients()
export class EngagementController {
  constructor(
    private readonly receipts: Receipts,
    private readonly forwards: Forwards,
    private readonly limiter: ForwardLimiter,
  ) {}

  @Post('receipts')
  @ApiOperation({ summary: 'Receipts and opens, in bulk; a repeat changes nothing.' })
  @Direct()
  @HttpCode(200)
  @ApiResponse({ status: 200, description: 'Recorded.', standardSchema: receiptsAnswer })
  record(@Body({ schema: receiptsBody }) { items }: z.output<typeof receiptsBody>): Promise<ReceiptAnswer> {
    return this.receipts.record(items);
  }

  @Post('forwards')
  @ApiOperation({ summary: 'A link to send an alert on by.' })
  @HttpCode(200)
  @ApiResponse({ status: 200, description: 'The link and its token.', standardSchema: forwardAnswer })
  async forward(
    @Body({ schema: forwardBody }) body: z.output<typeof forwardBody>,
    @ClientAddress() address: string,
  ): Promise<ForwardLink> {
    if ('ref' in body) return this.forwards.fromRecipient(body.ref);
    await this.limiter.consume(address);
    return this.forwards.fromForward(body.parent);
  }
}
