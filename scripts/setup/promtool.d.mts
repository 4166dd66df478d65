/** Prometheus's own checker, where this machine has it or it was fetched into `local`. */
export function findPromtool(local: string): string | undefined;
