import { z } from 'zod';
import { MAX_RECEIPTS, RECEIPT_KINDS } from '#engagement';

/** A reference or a token as we give them out; what else fits is told apart by its MAC. */
const opaque = z.string().min(1).max(64);

export const receiptsBody = z.strictObject({
  items: z
    .array(z.strictObject({ ref: opaque, kind: z.enum(RECEIPT_KINDS) }))
    .min(1)
    .max(MAX_RECEIPTS),
});

export const receiptsAnswer = z.object({
  accepted: z.int().describe('Items recorded now or before.'),
  ignored: z.int().describe('Items whose reference is not ours, or is gone.'),
});

export const forwardBody = z.union([
  z.strictObject({ ref: opaque.describe('The reference in the push: gives the recipient’s own link.') }),
  z.strictObject({ parent: opaque.describe('The token of the link somebody came by: gives a link under it.') }),
]);

export const forwardAnswer = z.object({ token: z.string(), url: z.url() });
