import { type ArgumentMetadata, Injectable, StandardSchemaValidationPipe } from '@nestjs/common';
import { Refusal } from '#platform';
import type { ApiRefusal } from './problems.ts';

/** One thing wrong with a request; the value itself is never told back. */
interface RequestIssue {
  /** Where, e.g. `details.age`; empty for the body as a whole. */
  readonly path: string;
  readonly message: string;
}

/** As Standard Schema names them. */
interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Issues told at most: nobody mends more at once, and a hostile body could make a million. */
const MAX_ISSUES = 20;

/** Characters of a message or path: both can repeat a key of the request. */
const MAX_TEXT = 200;

/** @param parameter the name of the header, parameter or part that holds the value, if it is not the body. */
export function invalidRequest(issues: readonly SchemaIssue[], parameter?: string): Refusal<ApiRefusal> {
  const told = issues.slice(0, MAX_ISSUES).map((issue): RequestIssue => {
    const keys = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
    const path = [...(parameter ? [parameter] : []), ...keys].map(String).join('.');
    return { path: path.slice(0, MAX_TEXT), message: issue.message.slice(0, MAX_TEXT) };
  });
  return new Refusal(
    'invalid_request',
    'The request does not have the form this address takes: see `issues`, and /openapi.json.',
    {
      issues: told,
    },
  );
}

class SchemaFault extends Error {
  constructor(readonly issues: readonly SchemaIssue[]) {
    super('invalid');
  }
}

/** Parses `@Body({ schema })`, `@Query({ schema })` and `@Param(name, { schema })`, and refuses with `invalid_request`. */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new SchemaFault(issues) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      throw error instanceof SchemaFault ? invalidRequest(error.issues, metadata.data) : error;
    }
  }
}
