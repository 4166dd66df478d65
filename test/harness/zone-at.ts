const DAY_S = 86_400;

/** A zone, in POSIX's form, where it is this time of the day now. PostgreSQL knows it; JavaScript does not. */
export function zoneAt(hour: number, minute = 0): string {
  const west = Math.round((Date.now() / 1000 - hour * 3600 - minute * 60) % DAY_S);
  const parts = [Math.floor(west / 3600), Math.floor(west / 60) % 60, west % 60];
  return `<HERE>${parts.join(':')}`;
}
