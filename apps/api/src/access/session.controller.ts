import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { actorReference, type OfficerActor, Officers, Sessions, SignIn } from '#access';
import { Audit } from '#audit';
import { ENV, type Env, Transactions } from '#platform';
import { ForOfficers, Public } from '../callers/audiences.ts';
import { ClientAddress, CurrentOfficer } from '../callers/parameters.ts';
import { SESSION_COOKIE, sessionCookieOptions } from '../callers/session-cookie.ts';
import { sessionAnswer, signInBody } from './session.schemas.ts';

@ApiTags('session')
@Controller('v1/session')
export class SessionController {
  constructor(
    @Inject(ENV) private readonly env: Env,
    private readonly signIn: SignIn,
    private readonly sessions: Sessions,
    private readonly officers: Officers,
    private readonly audit: Audit,
    private readonly transactions: Transactions,
  ) {}

  /** Signs in; a session that the browser still holds is ended. */
  @Post()
  @Public()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Signed in; the session is in the cookie.', standardSchema: sessionAnswer })
  async open(
    @Body({ schema: signInBody }) body: z.output<typeof signInBody>,
    @ClientAddress() address: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof sessionAnswer>> {
    const { id, agencyId } = await this.signIn.check(body.login, body.password, address);
    const earlier = request.cookies[SESSION_COOKIE];
    const secret = await this.transactions.run(async ({ tx }) => {
      if (earlier) await this.sessions.revoke(tx, earlier);
      const opened = await this.sessions.open(tx, id);
      const actor = actorReference({ kind: 'officer', id });
      await this.audit.record(tx, { agencyId, actor, action: 'session.open', thing: actor });
      return opened;
    });
    void reply.setCookie(SESSION_COOKIE, secret, sessionCookieOptions(this.env));
    return { officer: await this.profile(id) };
  }

  /** Who is signed in. */
  @Get()
  @ForOfficers()
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'The officer of this session.', standardSchema: sessionAnswer })
  async read(@CurrentOfficer() officer: OfficerActor): Promise<z.input<typeof sessionAnswer>> {
    return { officer: await this.profile(officer.id) };
  }

  /** Signs out. */
  @Delete()
  @ForOfficers()
  @HttpCode(204)
  @ApiResponse({ status: 204, description: 'Signed out.' })
  async close(
    @CurrentOfficer() officer: OfficerActor,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const actor = actorReference(officer);
    await this.transactions.run(async ({ tx }) => {
      await this.sessions.revoke(tx, request.cookies[SESSION_COOKIE] ?? '');
      await this.audit.record(tx, { agencyId: officer.agencyId, actor, action: 'session.close', thing: actor });
    });
    void reply.clearCookie(SESSION_COOKIE, { ...sessionCookieOptions(this.env), maxAge: 0 });
  }

  private async profile(id: string) {
    const { roles, ...rest } = await this.officers.profileOf(id);
    return { ...rest, roles: [...roles] };
  }
}
