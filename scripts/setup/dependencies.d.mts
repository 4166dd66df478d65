export interface Finding {
  readonly id: string;
  readonly package: string;
  readonly severity: string;
  readonly title: string;
}

export interface Excuse {
  readonly id: string;
  readonly reason: string;
  readonly until: string;
}

/** The grave advisories of `npm audit --json`, each once; null when the registry gave no audit. */
export function findingsOf(report: { vulnerabilities?: object }): Finding[] | null;

/** Findings that stop a build, those that an excuse holds for, and excuses that hold for nothing. */
export function allowed(
  findings: readonly Finding[],
  excuses: readonly Excuse[],
  today: string,
): { open: Finding[]; excused: Finding[]; stale: Excuse[] };

/** What a lock file does not pin, in words. */
export function lockFaults(lock: { lockfileVersion?: number; packages?: object }): string[];
