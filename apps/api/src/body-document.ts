import { ApiExtension, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

type Components = NonNullable<OpenAPIObject['components']>;
export type OpenApiSchema = NonNullable<Components['schemas']>[string];

/** A body's schema by media type. */
export type Bodies = Readonly<Record<string, OpenApiSchema>>;

/** Where an operation keeps its bodies until the document is made. */
export const BODIES = 'x-bodies';

/** Documents a body that has another schema in another media type: from the parsed schema one is derived for all. */
export const DocumentBodies = (bodies: Bodies) => ApiExtension(BODIES, bodies);

/** A schema of ours in the words of OpenAPI 3.0, as clients send it (`input`) or get it (`output`). */
export function openApiSchema(schema: z.ZodType, io: 'input' | 'output'): OpenApiSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { target: 'openapi-3.0', io });
  return described as OpenApiSchema;
}
