export interface Missing {
  postgres: boolean;
  redis: boolean;
  browser: boolean;
  font: boolean;
}

/** Debian's packages for what is missing; `servers` are installed PostgreSQL majors, `known` says what apt's lists hold. */
export function choosePackages(
  missing: Missing,
  system: { servers: string[]; known: (name: string) => boolean },
): string[];
