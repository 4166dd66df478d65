import type { FaultAnswers } from '#platform';
import { chooseLanguage } from './language.ts';
import { notice } from './rendered.tsx';
import { languageOf, sendPage } from './replies.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Pages for what is refused before Nest hears of it: no hook adds their headers. */
export const FAULT_ANSWERS: FaultAnswers = {
  router: (error, request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    sendPage(request, reply, notice('notFound', languageOf(request), error.statusCode ?? 400), 'none');
  },
  parser: (fault) => {
    const language = chooseLanguage(undefined, undefined);
    const headers = {
      ...SECURITY_HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'content-language': language,
      'cache-control': 'no-store',
    };
    return { headers, body: notice('failed', language, fault).html };
  },
};
