import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly $ref?: string;
  readonly properties?: Record<string, Schema>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: string[];
  readonly anyOf?: Schema[];
  readonly oneOf?: Schema[];
}

type Content = Record<string, { readonly schema?: Schema }>;

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly parameters?: Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Record<
    string,
    { readonly $ref?: string; readonly description?: string; readonly content?: Content }
  >;
  readonly security?: Record<string, string[]>[];
}

interface Document {
  readonly openapi: string;
  readonly info: Record<string, unknown>;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly securitySchemes: Record<string, unknown>;
    readonly responses: Record<string, unknown>;
  };
}

/** What anybody may ask for, without a credential. */
const OPEN = [
  'GET /v1/alerts/{slug}',
  'GET /v1/oidc/{agencyId}',
  'GET /v1/oidc/{agencyId}/callback',
  'POST /v1/alerts/{slug}/sightings',
  'POST /v1/devices',
  'POST /v1/forwards',
  'POST /v1/invitations/accept',
  'POST /v1/oidc/code',
  'POST /v1/receipts',
  'POST /v1/session',
];

/** Acts that need no words. */
const WITHOUT_BODY = [
  'POST /v1/agencies/{id}/thaw',
  'POST /v1/agencies/{id}/freeze',
  'POST /v1/officers/{id}/thaw',
  'POST /v1/officers/{id}/freeze',
  'POST /v1/alerts/{id}/stop',
  'POST /v1/alerts/{id}/ladder/end',
  'POST /v1/alerts/{id}/changes/{changeId}/withdraw',
  'POST /v1/cases/{id}/submit',
  'POST /v1/grants/{id}/confirm',
  'POST /v1/grants/{id}/refuse',
  'POST /v1/officers/{id}/invitation',
  'POST /v1/second-factor',
  'POST /v1/second-factor/recovery-codes',
];

let database: TestDatabase;
let api: TestApi;
let document: Document;
let operations: { readonly name: string; readonly path: string; readonly operation: Operation }[];

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url });
  document = (await call<Document>(api.url, 'GET', '/openapi.json')).body;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );
});

afterAll(async () => {
  await api?.close();
  await database?.drop();
});

const named = (name: string): Operation => {
  const found = operations.find((each) => each.name === name);
  if (!found) throw new Error(`${name} is not documented`);
  return found.operation;
};

/** Names of the operations at fault, with what is wrong: to be empty. */
const faults = (judge: (operation: Operation, name: string, path: string) => unknown[]) =>
  operations.flatMap(({ name, path, operation }) => judge(operation, name, path).map((fault) => [name, fault]));

/** Whether a schema says anything at all. */
const isTyped = (schema: Schema | boolean | undefined): boolean =>
  typeof schema === 'object' &&
  (schema.type !== undefined || [schema.anyOf, schema.oneOf].some((each) => each?.every(isTyped)));

/** Objects of a schema that name no field, by their path in it. */
function nameless(schema: Schema, at = ''): string[] {
  const own = schema.type === 'object' && !schema.properties && !isTyped(schema.additionalProperties) ? [at] : [];
  const untyped = isTyped(schema) ? [] : [at];
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, each]) => nameless(each, `${at}/${name}`));
  return [
    ...own,
    ...untyped,
    ...below,
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((each) => nameless(each, at)),
  ];
}

describe('/openapi.json', () => {
  it('is an OpenAPI 3.0 document of operations that each have a name of their own', () => {
    expect(document.openapi).toMatch(/^3\.0\.\d+$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    expect(operations.length).toBeGreaterThan(25);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    // Extensions are for the making of the document, and none of them is to be seen.
    expect(JSON.stringify(document)).not.toMatch(/"x-/);
  });

  it('says of each operation in a sentence of its own what it does', () => {
    expect(faults(({ summary }) => (/^\p{Lu}.{7,}\.$|^\p{Lu}.{7,}`\.$/u.test(summary ?? '') ? [] : [summary]))).toEqual(
      [],
    );
    expect(new Set(operations.map(({ operation }) => operation.summary)).size).toBe(operations.length);
  });

  it('refers only to what it holds', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, ref = '']) => ref);
    expect(refs.length).toBeGreaterThan(0);
    const find = (ref: string) =>
      ref.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
    expect(refs.filter((ref) => typeof find(ref) !== 'object')).toEqual([]);
    expect(JSON.stringify(document)).not.toMatch(/"\$ref":"[^#]/);
  });

  it('declares exactly the parameters that a path has, each with a schema', () => {
    expect(
      faults(({ parameters = [] }, _name, path) => {
        const inPath = parameters.filter((each) => each.in === 'path' && each.required).map((each) => each.name);
        const inTemplate = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const same = inPath.toSorted().join() === inTemplate.toSorted().join();
        return [...(same ? [] : [inPath]), ...parameters.filter((each) => !isTyped(each.schema))];
      }),
    ).toEqual([]);
  });

  it('has the schema of every body that is read', () => {
    expect(
      faults(({ requestBody }, name) => {
        if (!/^(POST|PUT|PATCH)/.test(name) || WITHOUT_BODY.includes(name)) return requestBody ? ['a body'] : [];
        const contents = Object.values(requestBody?.content ?? {});
        return contents.length > 0 && requestBody?.required && contents.every(({ schema }) => isTyped(schema))
          ? []
          : ['body'];
      }),
    ).toEqual([]);
  });

  it('has the schema of every answer, or says that it is a picture, a page or nothing', () => {
    expect(
      faults(({ responses }) =>
        Object.entries(responses).flatMap(([status, { $ref, description, content }]) => {
          if (status === 'default') return $ref === '#/components/responses/Problem' ? [] : ['no problem'];
          if (!description) return [`${status} without a description`];
          if (['204', '302'].includes(status)) return content ? [`${status} with content`] : [];
          const contents = Object.entries(content ?? {});
          if (contents.length === 0) return [`${status} without content`];
          return contents.flatMap(([type, { schema }]) => {
            if (type === 'text/html') return schema?.type === 'string' ? [] : [`${status} ${type}`];
            if (type === 'image/jpeg') return schema?.format === 'binary' ? [] : [`${status} ${type}`];
            return type === 'application/json' && schema ? nameless(schema, `${status}`) : [`${status} ${type}`];
          });
        }),
      ),
    ).toEqual([]);
    expect(document.components.responses['Problem']).toMatchObject({
      content: { 'application/problem+json': { schema: { type: 'object' } } },
    });
  });

  it('says which credential an operation asks for', () => {
    const schemes = Object.keys(document.components.securitySchemes);
    expect(schemes.toSorted()).toEqual(['agencyKey', 'device', 'session']);
    expect(
      faults(({ security = [] }) => security.flatMap(Object.keys).filter((scheme) => !schemes.includes(scheme))),
    ).toEqual([]);
    const open = operations.filter(({ operation }) => !operation.security?.length).map(({ name }) => name);
    expect(open.toSorted()).toEqual(OPEN);
  });

  it('shows uploads and pictures as bytes', () => {
    const photo = { type: 'string', format: 'binary' };
    const form = (name: string) => named(name).requestBody?.content['multipart/form-data']?.schema;
    expect(form('POST /v1/cases/{id}/photos')).toMatchObject({ properties: { photo }, required: ['photo'] });
    expect(form('POST /v1/alerts/{slug}/sightings')).toMatchObject({
      properties: { photo, sighting: { type: 'string' } },
      required: ['sighting'],
    });
    const json = named('POST /v1/alerts/{slug}/sightings').requestBody?.content['application/json']?.schema;
    expect(json).toMatchObject({ type: 'object', required: ['words'] });
    for (const name of ['GET /v1/cases/{id}/photos/{photoId}', 'GET /v1/cases/{id}/sightings/{sightingId}/photo']) {
      expect(named(name).responses['200']?.content).toEqual({ 'image/jpeg': { schema: photo } });
    }
  });

  it('shows where a request may be named, and where it has to be', () => {
    const named = operations.flatMap(({ name, operation }) =>
      (operation.parameters ?? [])
        .filter((each) => each.name === 'Idempotency-Key')
        .map((each) => [name, each.required]),
    );
    expect(Object.fromEntries(named)).toEqual({
      'POST /v1/cases': false,
      'POST /v1/cases/{id}/sightings': false,
      'POST /v1/alerts/{slug}/sightings': false,
      'POST /v1/intake': true,
    });
  });
});
