/** A port of 127.0.0.1 that is free now: the preferred one if it is. */
export function freePort(preferred?: number): Promise<number>;
