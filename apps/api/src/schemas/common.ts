import { z } from 'zod';
import { type LonLat, toWgs84 } from '#geo';
import { hasVisible, withoutBidiControls } from '#platform';

/**
 * A text of 1 to `max` UTF-16 units once trimmed and composed (Unicode NFC), of which something can be seen; controls that
 * reorder what stands around them are taken out. PostgreSQL cannot store NUL, and an unpaired surrogate has no UTF-8.
 */
export const text = (max: number) =>
  z
    .string()
    .overwrite(withoutBidiControls)
    .normalize('NFC')
    .trim()
    .min(1)
    .max(max)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'holds a character that is not text')
    .refine(hasVisible, 'holds nothing that can be seen');

/** An id, in the one form that we give and keep: others write it in capitals, too (RFC 9562 §4). */
export const uuid = z.uuid().toLowerCase();

/** An alert's unguessable name in links. */
export const slug = z.string().regex(/^[\w-]{1,64}$/);

/** A place as we give it. */
export const wgs84Point = z.object({ lon: z.number(), lat: z.number(), datum: z.literal('wgs84') });

export function pointView([lon, lat]: LonLat): z.input<typeof wgs84Point> {
  return { lon, lat, datum: 'wgs84' };
}

/** An ISO 8601 instant with its offset, e.g. `2026-01-02T03:04:05+08:00`, parsed to a Date. */
export const instant = z.iso.datetime({ offset: true }).transform((value) => new Date(value));

/** A place in the datum the giver names, since it cannot be told from the numbers; parsed to WGS-84 `[lon, lat]`. */
export const lonLat = z
  .strictObject({
    lon: z.number().min(-180).max(180),
    lat: z.number().min(-90).max(90),
    datum: z.enum(['wgs84', 'gcj02', 'bd09']),
  })
  .transform(({ lon, lat, datum }): LonLat => toWgs84([lon, lat], datum));

/** A client's own name for one request, so that it may be repeated: 8 to 200 visible ASCII characters. */
export const idempotencyKey = z.string().regex(/^[\x21-\x7e]{8,200}$/, 'must have 8 to 200 visible ASCII characters');
