import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type BoundsRefusal, isHangUp, isRefusal, isUnavailable, type Refusal } from '#platform';
import { Pages } from './pages.service.tsx';
import { notice, type Page } from './rendered.tsx';
import { languageOf, sendPage, slugOf } from './replies.ts';
import { writtenIn } from './sighting-form.ts';

/** Whatever goes wrong, a person gets a page, in their language, and never an error's words. */
@Catch()
export class FailuresFilter implements ExceptionFilter {
  private readonly logger = new Logger(FailuresFilter.name);

  constructor(private readonly pages: Pages) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    await this.answer(error, request, reply);
  }

  async answer(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (reply.sent) return;
    const page = await this.pageFor(error, request).catch(() => notice('failed', languageOf(request), 503));
    if (page.status >= 500) this.logger.error({ err: error, requestId: request.id }, 'a page could not be given');
    const wait = retryAfterOf(error) ?? (page.status === 503 ? 5 : null);
    if (wait !== null) void reply.header('retry-after', String(wait));
    sendPage(request, reply, page, 'none');
  }

  private async pageFor(error: unknown, request: FastifyRequest): Promise<Page> {
    const language = languageOf(request);
    const slug = slugOf(request);
    if (slug !== undefined && isRefusal(error) && ['alert_not_found', 'alert_ended'].includes(error.code)) {
      return this.pages.pageAnew(slug, language);
    }
    const status = statusOf(error);
    if (status === 404) return notice('notFound', language);
    // What comes too often, or cannot be honest, costs no look into the database.
    if (isBoundsRefusal(error)) return notice('failed', language, status);
    if (slug !== undefined && request.method === 'POST' && status < 500) {
      const fault = status === 413 ? 'photo_too_large' : 'form_unreadable';
      return this.pages.form(slug, language, status, { fault, written: writtenIn(request.body) });
    }
    return notice('failed', language, status);
  }
}

/** Refusals that come before any route is asked. */
const BOUNDS_STATUS: Readonly<Record<BoundsRefusal, number>> = { header_too_large: 431, too_many_requests: 429 };

function isBoundsRefusal(error: unknown): error is Refusal<BoundsRefusal> {
  return isRefusal(error) && Object.hasOwn(BOUNDS_STATUS, error.code);
}

/** Seconds, when a refusal says how long to wait. */
function retryAfterOf(error: unknown): number | null {
  const wait = isRefusal(error) ? error.members['retryAfter'] : undefined;
  return typeof wait === 'number' ? wait : null;
}

/** Nest's exceptions, and Fastify's own, which carry a status, too. */
function statusOf(error: unknown): number {
  if (isBoundsRefusal(error)) return BOUNDS_STATUS[error.code];
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) return status;
  if (isHangUp(error)) return 400;
  return isUnavailable(error) ? 503 : 500;
}
