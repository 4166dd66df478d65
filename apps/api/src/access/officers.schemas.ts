import { z } from 'zod';
import { ROLES, VERDICTS } from '#access';
import { text } from '../schemas/common.ts';
import { login } from './session.schemas.ts';

const roles = z.array(z.enum(ROLES)).max(ROLES.length);

/** Characters of an officer's name, as colleagues know them. */
const NAME_LENGTH = 100;

export const officerBody = z.strictObject({ login, name: text(NAME_LENGTH), roles });

export const rolesBody = z.strictObject({ roles });

export const officersAnswer = z.object({
  officers: z.array(
    z.object({
      id: z.uuid(),
      login: z.string(),
      name: z.string(),
      roles,
      proposedRoles: roles.nullable().describe('What they will hold once a second person confirms.'),
      createdAt: z.iso.datetime(),
      frozenAt: z.iso.datetime().nullable(),
      disabledAt: z.iso.datetime().nullable(),
      passwordSet: z.boolean(),
      invitationOpen: z.boolean(),
      secondFactor: z.boolean(),
    }),
  ),
});

export const administeredAnswer = z.object({
  officerId: z.uuid(),
  grantId: z.uuid().nullable().describe('The proposal that a second person must confirm, or null.'),
});

export const invitationAnswer = administeredAnswer.extend({
  secret: z.string().describe('For the officer alone: POST /v1/invitations/accept. Told this once.'),
  expiresAt: z.iso.datetime(),
});

export const grantsAnswer = z.object({
  grants: z.array(
    z.object({
      id: z.uuid(),
      agencyId: z.uuid(),
      officer: z.object({ id: z.uuid(), login: z.string(), name: z.string(), roles }),
      roles: roles.describe('All the officer’s roles once it is confirmed.'),
      proposedBy: z.object({ id: z.uuid(), name: z.string() }),
      proposedAt: z.iso.datetime(),
      invitationOpen: z.boolean().describe('Somebody can still set the password: make sure that it is the officer.'),
    }),
  ),
});

export const reviewsQuery = z.strictObject({
  open: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(true),
  after: z.uuid().optional(),
});

export const reviewsAnswer = z.object({
  reviews: z.array(
    z.object({
      id: z.uuid(),
      agencyId: z.uuid(),
      act: z.string().describe('e.g. alert.hold'),
      thing: z.string().describe('e.g. alert:<uuid>'),
      officerId: z.uuid().nullable().describe('Who did it; null where the system did.'),
      createdAt: z.iso.datetime(),
      verdict: z.enum(VERDICTS).nullable(),
      settledBy: z.uuid().nullable(),
      settledAt: z.iso.datetime().nullable(),
    }),
  ),
  next: z.uuid().nullable().describe('What to ask the next page `after` with; null on the last.'),
});

export const verdictBody = z.strictObject({ verdict: z.enum(VERDICTS) });
