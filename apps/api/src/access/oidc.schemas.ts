import { z } from 'zod';

/** A code of the authenticator app, or a recovery code. */
export const oidcCodeBody = z.strictObject({ code: z.string().trim().min(6).max(64) });

export const oidcEndAnswer = z.object({
  end: z.enum(['opened', 'stepped_up']).describe('A session was opened, or the present one stepped up.'),
});
