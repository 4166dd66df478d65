/** A PostgreSQL server that has PostGIS. */
export interface PostgresTools {
  readonly binaries: string;
  readonly major: string;
}

export function findPostgres(): PostgresTools | undefined;

/** @returns the program's path */
export function findRedis(): string | undefined;
