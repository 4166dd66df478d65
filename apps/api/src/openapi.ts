import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { BODIES, type Bodies, openApiSchema } from './body-document.ts';
import { SCHEMES } from './callers/audiences.ts';
import { SESSION_COOKIE } from './callers/session-cookie.ts';
import { PROBLEMS } from './problems.ts';

const problemSchema = z.looseObject({
  type: z.string().describe('urn:golden72:problem:<code>'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What is wrong and what to do next.'),
  code: z.enum(Object.keys(PROBLEMS)).describe('Stable: branch on this.'),
  instance: z.string().describe('urn:golden72:request:<id>'),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  retryAfter: z.int().optional().describe('Seconds.'),
});

const PROBLEM_RESPONSE = 'Problem';

/** Serves `/openapi.json`, made from the schemas that the routes parse with. */
export function serveOpenApi(app: NestFastifyApplication): void {
  const document = SwaggerModule.createDocument(app, description());
  const operations = operationsOf(document);
  operations.forEach(nameBodies);
  addProblems(document, operations);
  SwaggerModule.setup('openapi', app, document, { ui: false, raw: ['json'], jsonDocumentUrl: 'openapi.json' });
}

function description() {
  return new DocumentBuilder()
    .setTitle('Golden72')
    .setDescription('Finds missing children by making everyone nearby a rescuer.')
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addCookieAuth(
      SESSION_COOKIE,
      { type: 'apiKey', in: 'cookie', description: `In production \`__Host-${SESSION_COOKIE}\`.` },
      SCHEMES.officers,
    )
    .addSecurity(SCHEMES.devices, { type: 'http', scheme: 'bearer', bearerFormat: 'g72d_<secret>' })
    .addSecurity(SCHEMES.agency_keys, { type: 'http', scheme: 'bearer', bearerFormat: 'g72k_<secret>' })
    .build();
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']> & { [BODIES]?: Bodies };

function operationsOf(document: OpenAPIObject): Operation[] {
  const paths = Object.values(document.paths);
  return paths.flatMap(({ get, put, post, patch, delete: remove }) =>
    [get, put, post, patch, remove].filter((operation) => operation !== undefined),
  );
}

/** What {@link DocumentBodies} says of a body takes the place of what was derived from it. */
function nameBodies(operation: Operation): void {
  const bodies = operation[BODIES];
  if (!bodies) return;
  delete operation[BODIES];
  const content = Object.entries(bodies).map(([mediaType, schema]) => [mediaType, { schema }] as const);
  operation.requestBody = { required: true, content: Object.fromEntries(content) };
}

/** Documents the problem response once, and refers to it from every operation. */
function addProblems(document: OpenAPIObject, operations: Operation[]): void {
  const content = { 'application/problem+json': { schema: openApiSchema(problemSchema, 'output') } };
  const problem = { description: 'Refused or failed: problem details (RFC 9457).', content };
  document.components = { ...document.components, responses: { [PROBLEM_RESPONSE]: problem } };
  for (const operation of operations) {
    operation.responses['default'] = { $ref: `#/components/responses/${PROBLEM_RESPONSE}` };
  }
}
