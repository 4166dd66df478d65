import { Body, Controller, Get, Header, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { OfficerActor } from '#access';
import { Cases } from '#cases';
import { Alerts, Changes, Ending, Ladders, Lands, Preview, Release } from '#dispatch';
import { Blur } from '#platform';
import { ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer, OptionalIdempotencyKey } from '../callers/parameters.ts';
import { uuid } from '../schemas/common.ts';
import { submissionBody, submissionOf } from '../schemas/submission.ts';
import {
  caseAnswer,
  casesAnswer,
  casesQuery,
  closeBody,
  filedAnswer,
  previewAnswer,
  reasonBody,
  releasedAnswer,
  NOTHING_RELEASED,
  summaryOf,
  toldOf,
  verifyBody,
  viewOf,
} from './cases.schemas.ts';

/** A case from its first words to its end, for the officers of its agency. */
@ApiTags('cases')
@Controller('v1/cases')
@ForOfficers()
export class CasesController {
  constructor(
    private readonly cases: Cases,
    private readonly alerts: Alerts,
    private readonly ladders: Ladders,
    private readonly lands: Lands,
    private readonly release: Release,
    private readonly preview: Preview,
    private readonly changes: Changes,
    private readonly ending: Ending,
    private readonly blur: Blur,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Files a draft.' })
  @ApiResponse({ status: 201, description: 'Filed as a draft.', standardSchema: filedAnswer })
  async file(
    @CurrentOfficer() officer: OfficerActor,
    @Body({ schema: submissionBody }) body: z.output<typeof submissionBody>,
    @OptionalIdempotencyKey() key: string | undefined,
  ): Promise<z.input<typeof filedAnswer>> {
    const repeat = key === undefined ? undefined : { scope: `officer:${officer.id}`, key };
    return { id: await this.release.file(officer, submissionOf(body), repeat) };
  }

  @Get()
  @ApiOperation({ summary: 'The agency’s cases, newest first.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'A page of cases.', standardSchema: casesAnswer })
  async list(
    @CurrentOfficer() officer: OfficerActor,
    @Query({ schema: casesQuery }) query: z.output<typeof casesQuery>,
  ): Promise<z.input<typeof casesAnswer>> {
    const { cases, next } = await this.cases.list(officer, query);
    return { cases: cases.map(summaryOf), next };
  }

  @Get(':id')
  @ApiOperation({ summary: 'The whole case with its proposed or released alert. Every read is audited.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'The case.', standardSchema: caseAnswer })
  async read(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string) {
    const read = await this.cases.read(officer, id);
    const proposed = await this.alerts.ofCase(id);
    if (!proposed) return viewOf(read, null, [], { changesPending: 0, rings: [] });
    const { alert } = proposed;
    const standing = {
      changesPending: await this.changes.pending(alert.id),
      rings: await this.ladders.standing(alert),
    };
    return viewOf(read, proposed, await this.lands.neighbours(alert), standing);
  }

  @Put(':id')
  @ApiOperation({ summary: 'Replaces a draft or a returned case, whole.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Replaced.' })
  rewrite(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: submissionBody }) body: z.output<typeof submissionBody>,
  ): Promise<void> {
    return this.release.rewrite(officer, id, submissionOf(body));
  }

  @Get(':id/preview')
  @ApiOperation({ summary: 'What a release would do: about how many phones, how long it takes, what they show.' })
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Rounded, and audited.', standardSchema: previewAnswer })
  look(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string) {
    return this.preview.ofCase(officer, id);
  }

  @Post(':id/submit')
  @ApiOperation({ summary: 'Hands the case to the verifiers.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Submitted.' })
  submit(@CurrentOfficer() officer: OfficerActor, @Param('id', { schema: uuid }) id: string): Promise<void> {
    return this.release.submit(officer, id);
  }

  @Post(':id/return')
  @ApiOperation({ summary: 'Sends a submitted case back for changes.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Returned.' })
  giveBack(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: reasonBody }) body: z.output<typeof reasonBody>,
  ): Promise<void> {
    return this.release.decline(officer, id, 'return', body.reason);
  }

  @Post(':id/reject')
  @ApiOperation({ summary: 'Turns a submitted case down for good.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Rejected.' })
  reject(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: reasonBody }) body: z.output<typeof reasonBody>,
  ): Promise<void> {
    return this.release.decline(officer, id, 'reject', body.reason);
  }

  @Post(':id/verify')
  @ApiOperation({
    summary:
      'Verifies exactly the version that was read, and releases its alert if it has one. Never by an officer who wrote any of it.',
  })
  @HttpCode(200)
  @ApiResponse({
    status: 200,
    description: 'Live; or active without an alert, and then with null for it.',
    standardSchema: releasedAnswer,
  })
  async verify(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: verifyBody }) body: z.output<typeof verifyBody>,
  ): Promise<z.input<typeof releasedAnswer>> {
    const released = await this.release.verify(officer, id, body.version);
    return released ? toldOf(released, this.blur) : NOTHING_RELEASED;
  }

  @Post(':id/close')
  @ApiOperation({ summary: 'Closes a case whose alert has ended by itself, or never went out.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Closed.' })
  close(
    @CurrentOfficer() officer: OfficerActor,
    @Param('id', { schema: uuid }) id: string,
    @Body({ schema: closeBody }) body: z.output<typeof closeBody>,
  ): Promise<void> {
    return this.ending.closeCase(officer, id, body);
  }
}
