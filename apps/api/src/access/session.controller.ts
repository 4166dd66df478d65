import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Client, type OfficerActor, Officers, SecondFactor, SignIn } from '#access';
import { ENV, type Env, newSecret } from '#platform';
import { BeforeSecondFactor, ForOfficers, Public } from '../callers/audiences.ts';
import { BROWSER_COOKIE, browserCookieOptions } from '../callers/browser-cookie.ts';
import { CurrentClient, CurrentOfficer } from '../callers/parameters.ts';
import { SESSION_COOKIE, sessionCookieOptions } from '../callers/session-cookie.ts';
import { proofBody, sessionAnswer, signInBody } from './session.schemas.ts';

@ApiTags('session')
@Controller('v1/session')
export class SessionController {
  constructor(
    @Inject(ENV) private readonly env: Env,
    private readonly signIn: SignIn,
    private readonly officers: Officers,
    private readonly secondFactor: SecondFactor,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Signs in; a session that the browser still holds is ended.' })
  @Public()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Signed in; the session is in the cookie.', standardSchema: sessionAnswer })
  async open(
    @Body({ schema: signInBody }) { login, ...proof }: z.output<typeof signInBody>,
    @CurrentClient() { address, browser = newSecret() }: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof sessionAnswer>> {
    const earlier = request.cookies[SESSION_COOKIE];
    const { officerId, secret } = await this.signIn.withPassword(login, proof, { address, browser }, earlier);
    void reply.setCookie(SESSION_COOKIE, secret, sessionCookieOptions(this.env));
    void reply.setCookie(BROWSER_COOKIE, browser, browserCookieOptions(this.env));
    return this.answer(officerId);
  }

  @Get()
  @ApiOperation({ summary: 'Who is signed in.' })
  @ForOfficers()
  @BeforeSecondFactor()
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'The officer of this session.', standardSchema: sessionAnswer })
  read(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof sessionAnswer>> {
    return this.answer(officer.id);
  }

  @Post('step-up')
  @ApiOperation({ summary: 'Proves again who is at the desk; acts that reach more people ask for it.' })
  @ForOfficers()
  @BeforeSecondFactor()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Such acts are open for five minutes.' })
  stepUp(
    @CurrentOfficer() officer: OfficerActor,
    @Body({ schema: proofBody }) proof: z.output<typeof proofBody>,
    @CurrentClient() client: Client,
  ): Promise<void> {
    return this.signIn.stepUp(officer, proof, client);
  }

  @Delete()
  @ApiOperation({ summary: 'Signs out.' })
  @ForOfficers()
  @BeforeSecondFactor()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Signed out.' })
  async close(@CurrentOfficer() officer: OfficerActor, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    await this.signIn.end(officer, officer.sessionId);
    void reply.clearCookie(SESSION_COOKIE, { ...sessionCookieOptions(this.env), maxAge: 0 });
  }

  private async answer(officerId: string): Promise<z.input<typeof sessionAnswer>> {
    const { roles, ...profile } = await this.officers.profileOf(officerId);
    return { officer: { ...profile, roles: [...roles] }, secondFactor: await this.secondFactor.status(officerId) };
  }
}
