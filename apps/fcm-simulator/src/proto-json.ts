/**
 * Checks JSON against a message's fields the way Google's API front end does (proto3 JSON mapping): unknown names and
 * wrong types are named, a null counts as absent, and a field may be written in snake_case or lowerCamelCase.
 */
import type { FieldViolation } from './google-errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;
/** Adds what is wrong with `value`, found at the dotted `path`, to `violations`. */
export type Rule = (value: unknown, path: string, violations: FieldViolation[]) => void;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, type: string, value: unknown): FieldViolation {
  const shown = typeof value === 'object' ? 'an object or a list' : JSON.stringify(value);
  return { field: path, description: `Invalid value at '${path}' (${type}), ${shown}` };
}

function check(type: string, accepts: (value: unknown) => boolean): Rule {
  return (value, path, violations) => {
    if (!accepts(value)) violations.push(invalid(path, type, value));
  };
}

export const text = check('TYPE_STRING', (value) => typeof value === 'string');
export const flag = check('TYPE_BOOL', (value) => typeof value === 'boolean');
export const integer = check('TYPE_INT32', (value) =>
  Number.isInteger(typeof value === 'string' ? Number(value) : value),
);
export const anyObject = check('type.googleapis.com/google.protobuf.Struct', isObject);

/** One of these names, in any case. */
export function oneOf(type: string, names: readonly string[]): Rule {
  const accepted = new Set(names);
  return check(`type.googleapis.com/google.firebase.fcm.v1.${type}`, (value) => {
    return typeof value === 'string' && accepted.has(value.toUpperCase());
  });
}

/** google.protobuf.Duration: seconds with up to nine decimals and an 's'. */
export const duration = check('type.googleapis.com/google.protobuf.Duration', (value) => {
  return typeof value === 'string' && /^-?\d{1,12}(\.\d{1,9})?s$/.test(value);
});

export function listOf(rule: Rule): Rule {
  return (value, path, violations) => {
    if (!Array.isArray(value)) violations.push(invalid(path, 'repeated', value));
    else value.forEach((item, index) => rule(item, `${path}[${index}]`, violations));
  };
}

/** map<string, string>; violations name the entry by its position. */
export const textMap: Rule = (value, path, violations) => {
  if (!isObject(value)) {
    violations.push(invalid(path, 'map', value));
    return;
  }
  let index = 0;
  for (const key in value) {
    if (typeof value[key] !== 'string') text(value[key], `${path}[${index}].value`, violations);
    index++;
  }
};

/** A message with exactly these fields, named in snake_case. */
export function message(fields: Readonly<Record<string, Rule>>): Rule {
  const rules = new Map(
    Object.entries(fields).flatMap(([name, rule]) => [[name, rule] as const, [camel(name), rule] as const]),
  );
  return (value, path, violations) => {
    if (!isObject(value)) {
      violations.push(Array.isArray(value) ? notRepeating(path) : invalid(path, 'message', value));
      return;
    }
    for (const key in value) {
      const rule = rules.get(key);
      if (rule === undefined) violations.push(unknownName(key, path));
      else if (value[key] !== null) rule(value[key], path === '' ? key : `${path}.${key}`, violations);
    }
  };
}

/** A field under either of its two names. */
export function field(value: JsonObject | undefined, name: string): unknown {
  return value === undefined ? undefined : (value[name] ?? value[camel(name)] ?? undefined);
}

/** A field that is itself an object, or undefined. */
export function objectField(value: JsonObject | undefined, name: string): JsonObject | undefined {
  const found = field(value, name);
  return isObject(found) ? found : undefined;
}

const CAMEL = new Map<string, string>();

/** The names are the few of the schema, so each is worked out once. */
function camel(name: string): string {
  let known = CAMEL.get(name);
  if (known === undefined) {
    known = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    CAMEL.set(name, known);
  }
  return known;
}

function unknownName(key: string, path: string): FieldViolation {
  const where = path === '' ? '' : ` at '${path}'`;
  const description = `Invalid JSON payload received. Unknown name "${key}"${where}: Cannot find field.`;
  return path === '' ? { description } : { field: path, description };
}

function notRepeating(path: string): FieldViolation {
  const description = `Invalid JSON payload received. Unknown name "": Proto field is not repeating, cannot start list.`;
  return path === '' ? { description } : { field: path, description };
}
