import { QueryFailedError } from 'typeorm';

/** SQLSTATE of a unique violation (PostgreSQL, appendix A). */
const UNIQUE_VIOLATION = '23505';

/** Runs `work` and throws `refusal` instead when it broke a unique constraint. */
export async function unlessTaken<Result>(work: Promise<Result>, refusal: Error): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw isUniqueViolation(error) ? refusal : error;
  }
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { code?: unknown }).code === UNIQUE_VIOLATION;
}
