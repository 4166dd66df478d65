import { z } from 'zod';
import { ROLES } from '#access';
import { text } from '../schemas/common.ts';

/** A password is taken as typed: not trimmed; a longer one than any that can be set is refused before it costs a hash. */
export const signInBody = z.strictObject({ login: text(64), password: z.string().min(1).max(1024) });

export const sessionAnswer = z.object({
  officer: z.object({
    id: z.uuid(),
    name: z.string(),
    roles: z.array(z.enum(ROLES)),
    agency: z.object({ id: z.uuid(), name: z.string() }),
  }),
});
