import type { MultipartValue } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '#platform';
import type { ApiRefusal } from './problems.ts';
import { invalidRequest } from './validation.pipe.ts';

export interface Upload<Fields> {
  readonly fields: Fields;
  /** The one file, whole; null when none was sent. */
  readonly file: Buffer | null;
}

/**
 * Reads a `multipart/form-data` request to its end: at most one file, and fields that `schema` takes.
 * @throws Refusal `body_too_large`, `invalid_request` or, for another media type, `unsupported_media_type`.
 */
export async function readUpload<Schema extends z.ZodType>(
  request: FastifyRequest,
  schema: Schema,
): Promise<Upload<z.output<Schema>>> {
  const { fields, file } = await collect(request);
  const parsed = schema.safeParse(Object.fromEntries(fields));
  if (!parsed.success) throw invalidRequest(parsed.error.issues);
  return { fields: parsed.data, file };
}

async function collect(request: FastifyRequest): Promise<Upload<Map<string, unknown>>> {
  const upload = { fields: new Map<string, unknown>(), file: null as Buffer | null };
  try {
    for await (const part of request.parts()) {
      if (part.type === 'file') upload.file = await part.toBuffer();
      else addField(upload.fields, part);
    }
    return upload;
  } catch (error) {
    if (error instanceof Refusal || (error instanceof Error && error.name === 'FastifyError')) throw error;
    // A body that is not what multipart says is a plain error of the parser.
    throw invalidRequest([{ message: 'the body is not well-formed multipart/form-data' }]);
  }
}

function addField(fields: Map<string, unknown>, part: MultipartValue): void {
  if (part.valueTruncated || part.fieldnameTruncated) throw tooLarge();
  if (fields.has(part.fieldname)) throw invalidRequest([{ message: 'is repeated', path: [part.fieldname] }]);
  fields.set(part.fieldname, part.value);
}

function tooLarge(): Refusal {
  return new Refusal<ApiRefusal>('body_too_large', 'The upload holds more than this address takes.');
}
