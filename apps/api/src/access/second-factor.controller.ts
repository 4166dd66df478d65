import { Body, Controller, Delete, Header, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type OfficerActor, SecondFactor } from '#access';
import { BeforeSecondFactor, ForOfficers } from '../callers/audiences.ts';
import { CurrentOfficer } from '../callers/parameters.ts';
import { codeBody, recoveryCodesAnswer, secondFactorAnswer } from './session.schemas.ts';

@ApiTags('session')
@Controller('v1/second-factor')
@ForOfficers()
export class SecondFactorController {
  constructor(private readonly secondFactor: SecondFactor) {}

  @Post()
  @ApiOperation({
    summary:
      'Begins a second factor: the secret goes into the officer’s authenticator app. Nothing counts before it is confirmed.',
  })
  @BeforeSecondFactor()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Told this once.', standardSchema: secondFactorAnswer })
  begin(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof secondFactorAnswer>> {
    return this.secondFactor.begin(officer);
  }

  @Post('confirm')
  @ApiOperation({ summary: 'Enrols the second factor with the app’s first code; other sessions end.' })
  @BeforeSecondFactor()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Enrolled; told this once.', standardSchema: recoveryCodesAnswer })
  async confirm(
    @CurrentOfficer() officer: OfficerActor,
    @Body({ schema: codeBody }) { code }: z.output<typeof codeBody>,
  ): Promise<z.input<typeof recoveryCodesAnswer>> {
    return { recoveryCodes: await this.secondFactor.confirm(officer, code) };
  }

  @Post('recovery-codes')
  @ApiOperation({ summary: 'Makes new recovery codes; those of before are void.' })
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Told this once.', standardSchema: recoveryCodesAnswer })
  async regenerate(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof recoveryCodesAnswer>> {
    return { recoveryCodes: await this.secondFactor.regenerate(officer) };
  }

  @Delete()
  @ApiOperation({ summary: 'Removes the officer’s own second factor; other sessions end.' })
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Removed.' })
  remove(@CurrentOfficer() officer: OfficerActor): Promise<void> {
    return this.secondFactor.remove(officer);
  }
}
