/**
 * What `work` gives, unless it takes longer; it is not ended then, and what becomes of it is nobody's concern.
 * @throws Error with `late` as its message after `ms` milliseconds
 */
export async function inTime<Result>(ms: number, late: string, work: Promise<Result>): Promise<Result> {
  const { promise: overdue, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(late)), ms);
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
