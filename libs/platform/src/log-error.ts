import type { SerializedError } from 'pino';

/** What PostgreSQL's errors carry (pg's DatabaseError), and TypeORM's wrapper around them. */
interface DatabaseFault {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly table?: unknown;
  readonly constraint?: unknown;
  readonly driverError?: unknown;
  readonly cause?: unknown;
}

/**
 * What a log line holds of an error. PostgreSQL repeats values in its messages and details, and TypeORM the statement's
 * parameters: of their errors only the SQLSTATE, the names of table and constraint, and the stack's frames are kept.
 */
export function describeError({ type, message, stack, raw }: SerializedError): Record<string, unknown> {
  const fault = databaseFault(raw);
  if (!fault) return { type, message, stack, code: (raw as DatabaseFault).code };
  const { code, table, constraint } = fault;
  return { type, code, table, constraint, stack: framesOf(stack) };
}

/** The database's own error in a chain of causes. */
function databaseFault(error: unknown, depth = 0): DatabaseFault | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const fault = error as DatabaseFault;
  if (typeof fault.severity === 'string') return fault;
  return databaseFault(fault.driverError, depth + 1) ?? databaseFault(fault.cause, depth + 1);
}

function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
}
