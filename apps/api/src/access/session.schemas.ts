import { z } from 'zod';
import { LOGIN, ROLES } from '#access';

/** A password is taken as typed: not trimmed; a longer one than any that can be set is refused before it costs a hash. */
export const signInBody = z.strictObject({
  login: z.string().trim().regex(LOGIN, 'is not a login'),
  password: z.string().min(1).max(1024),
});

export const sessionAnswer = z.object({
  officer: z.object({
    id: z.uuid(),
    name: z.string(),
    roles: z.array(z.enum(ROLES)),
    agency: z.object({ id: z.uuid(), name: z.string() }),
  }),
});
