/** A schema in the words of OpenAPI 3.0, as far as the api's document uses them. */
export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Parameter {
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly name: string;
  readonly schema?: Schema;
}

interface Described {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
}

/** One operation of a document: `name` is `GET /v1/cases/{id}`. */
export interface Operation {
  readonly name: string;
  readonly method: string;
  readonly template: string;
  readonly parameters: readonly Parameter[];
  /** The body's schemas by media type; empty where none is read. */
  readonly bodies: ReadonlyMap<string, Schema>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

/** Every operation of the api at `url`, by its own `/openapi.json`, in the order of their names. */
export async function operationsOf(url: string): Promise<Operation[]> {
  const answer = await fetch(new URL('/openapi.json', url));
  const { paths } = (await answer.json()) as Document;
  return Object.entries(paths)
    .flatMap(([template, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
        name: `${method.toUpperCase()} ${template}`,
        method: method.toUpperCase(),
        template,
        parameters,
        bodies: bodiesOf(requestBody),
      })),
    )
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function bodiesOf(body: Described['requestBody']): Map<string, Schema> {
  const contents = Object.entries(body?.content ?? {});
  return new Map(contents.map(([type, { schema }]) => [type, schema ?? {}]));
}
