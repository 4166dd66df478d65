import type { Env } from '#platform';

/** Whether every officer must have a second factor: as SECOND_FACTOR says, and by default where alerts are real. */
export function isSecondFactorRequired(env: Pick<Env, 'SECOND_FACTOR' | 'DEPLOYMENT'>): boolean {
  return (env.SECOND_FACTOR ?? (env.DEPLOYMENT === 'real' ? 'required' : 'optional')) === 'required';
}
