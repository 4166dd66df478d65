import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Client, Oidc, type OidcEnd, OidcSignIn, type OfficerActor } from '#access';
import { ENV, type Env, newSecret, Refusal } from '#platform';
import { BeforeSecondFactor, ForOfficers, Public } from '../callers/audiences.ts';
import { BROWSER_COOKIE, browserCookieOptions } from '../callers/browser-cookie.ts';
import { CurrentClient, CurrentOfficer } from '../callers/parameters.ts';
import { SESSION_COOKIE, sessionCookieOptions } from '../callers/session-cookie.ts';
import type { ProblemCode } from '../problems.ts';
import { uuid } from '../schemas/common.ts';
import { OIDC_COOKIE, oidcCookieOptions } from './oidc-cookie.ts';
import { oidcCodeBody, oidcEndAnswer } from './oidc.schemas.ts';

/**
 * Sends the browser on from a page of ours: a redirect in the provider's own answer would still be the provider's, and the
 * session's cookie (SameSite=Strict) would stay behind.
 */
const onTo = (path: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${path}">` +
  `<title>Golden72</title><p><a href="${path}">Go on</a></p></html>`;

const HTML = 'text/html; charset=utf-8';
const PAGE = { 'text/html': { schema: { type: 'string' as const } } };

/** Where the console takes over; with a code owed it asks for it and posts it to `/v1/oidc/code`. */
const CONSOLE = { opened: '/', stepped_up: '/?stepped-up', code_owed: '/?code-owed' } as const;

/** Sign-in through an agency's identity provider (OpenID Connect). */
@ApiTags('session')
@Controller('v1/oidc')
export class OidcController {
  constructor(
    @Inject(ENV) private readonly env: Env,
    private readonly oidc: Oidc,
    private readonly oidcSignIn: OidcSignIn,
  ) {}

  @Get('step-up')
  @ApiOperation({ summary: 'Sends a signed-in officer to prove anew who they are, at their agency’s provider.' })
  @ForOfficers()
  @BeforeSecondFactor()
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 302, description: 'To the provider.' })
  async stepUp(@CurrentOfficer() officer: OfficerActor, @Res() reply: FastifyReply): Promise<void> {
    await this.send(reply, officer.agencyId, officer);
  }

  @Get(':agencyId')
  @ApiOperation({ summary: 'Sends the browser to the agency’s provider.' })
  @Public()
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 302, description: 'To the provider.' })
  async begin(@Param('agencyId', { schema: uuid }) agencyId: string, @Res() reply: FastifyReply): Promise<void> {
    await this.send(reply, agencyId, null);
  }

  @Get(':agencyId/callback')
  @ApiOperation({
    summary:
      'Where the provider sends the browser back to: a page that goes on to the console, signed in or with a code owed.',
  })
  @Public()
  @ApiResponse({ status: 200, description: 'A page that goes on to the console.', content: PAGE })
  async back(
    @Param('agencyId', { schema: uuid }) agencyId: string,
    @CurrentClient() { address, browser = newSecret() }: Client,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { search } = new URL(request.url, this.env.API_URL);
    // Whatever comes of it, the same answer is not taken twice.
    this.drop(reply);
    const end = await this.oidcSignIn.take(agencyId, search, this.held(request, { address, browser }));
    this.keep(reply, end, browser);
    void reply.header('cache-control', 'no-store').type(HTML).send(onTo(CONSOLE[end.end]));
  }

  @Post('code')
  @ApiOperation({ summary: 'Pays the code that was owed after the provider.' })
  @Public()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiResponse({ status: 200, description: 'Signed in, or stepped up.', standardSchema: oidcEndAnswer })
  async pay(
    @Body({ schema: oidcCodeBody }) { code }: z.output<typeof oidcCodeBody>,
    @CurrentClient() { address, browser = newSecret() }: Client,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof oidcEndAnswer>> {
    const end = await this.oidcSignIn.pay(code, this.held(request, { address, browser }));
    if (end.end === 'code_owed') throw new Refusal<ProblemCode>('sign_in_failed', 'Another code is owed.');
    this.drop(reply);
    this.keep(reply, end, browser);
    return { end: end.end };
  }

  private async send(reply: FastifyReply, agencyId: string, officer: OfficerActor | null): Promise<void> {
    const { address, held } = await this.oidc.begin(agencyId, officer);
    void reply.setCookie(OIDC_COOKIE, held, oidcCookieOptions(this.env));
    void reply.header('cache-control', 'no-store').redirect(address, 302);
  }

  private held(request: FastifyRequest, client: Client) {
    const { [OIDC_COOKIE]: held, [SESSION_COOKIE]: earlier } = request.cookies;
    return { client, held, earlier };
  }

  private drop(reply: FastifyReply): void {
    void reply.clearCookie(OIDC_COOKIE, { ...oidcCookieOptions(this.env), maxAge: 0 });
  }

  private keep(reply: FastifyReply, end: OidcEnd, browser: string): void {
    if (end.end === 'code_owed') void reply.setCookie(OIDC_COOKIE, end.held, oidcCookieOptions(this.env));
    if (end.end !== 'opened') return;
    void reply.setCookie(SESSION_COOKIE, end.opened.secret, sessionCookieOptions(this.env));
    void reply.setCookie(BROWSER_COOKIE, browser, browserCookieOptions(this.env));
  }
}
