import { z } from 'zod';
import { LOGIN, ROLES } from '#access';

/** A password is taken as typed: not trimmed; a longer one than any that can be set is refused before it costs a hash. */
const typedPassword = z.string().min(1).max(1024);

/** Of an authenticator app (six digits) or a recovery code, with or without spaces and hyphens. */
const code = z.string().trim().min(6).max(64);

export const login = z.string().trim().regex(LOGIN, 'is not a login');

export const proofBody = z.strictObject({ password: typedPassword, code: code.optional() });

export const signInBody = proofBody.extend({ login });

export const sessionAnswer = z.object({
  officer: z.object({
    id: z.uuid(),
    name: z.string(),
    roles: z.array(z.enum(ROLES)),
    agency: z.object({ id: z.uuid(), name: z.string() }),
  }),
  secondFactor: z.object({
    enrolled: z.boolean(),
    required: z.boolean().describe('Whether this deployment demands one: without it, only enrolling is open.'),
    recoveryCodesLeft: z.int(),
  }),
});

export const sessionsAnswer = z.object({
  sessions: z.array(
    z.object({
      id: z.uuid(),
      current: z.boolean().describe('Whether it is the one that asks.'),
      createdAt: z.iso.datetime(),
      seenAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
      secondFactor: z.boolean(),
      network: z.string().nullable().describe('Equal for sessions from one network; says nothing else.'),
    }),
  ),
});

export const secondFactorAnswer = z.object({
  secret: z.string().describe('Base32, for typing into an authenticator app.'),
  uri: z.string().describe('otpauth://, for a QR code.'),
});

export const codeBody = z.strictObject({ code });

export const recoveryCodesAnswer = z.object({ recoveryCodes: z.array(z.string()) });

export const passwordBody = z.strictObject({ present: typedPassword, next: typedPassword });

export const acceptBody = z.strictObject({
  secret: z.string().regex(/^[\w-]{43}$/, 'is not an invitation'),
  password: typedPassword,
});

export const acceptAnswer = z.object({ login: z.string() });
