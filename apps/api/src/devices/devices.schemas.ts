import { z } from 'zod';
import { DEVICE_LANGUAGES } from '#audience';
import { instant, lonLat, text } from '../schemas/common.ts';

const token = text(4096).describe('The push provider’s address of this installation.');
const language = z.enum(DEVICE_LANGUAGES);

export const registrationBody = z.strictObject({
  provider: z.literal('fcm').default('fcm'),
  platform: z.enum(['android', 'ios']),
  token,
  language,
});

export const registrationAnswer = z.object({
  secret: z.string().describe('Send it as `Authorization: Bearer …`. It is told once; keep it on the device.'),
});

export const tokenBody = z.strictObject({ token, language });

export const positionBody = z.strictObject({
  place: lonLat.describe('Round it to about 1 km before sending; the server rounds again and keeps nothing finer.'),
});

const minute = z.int().min(0).max(1439);

export const preferencesBody = z.strictObject({
  optedOut: z
    .array(z.enum(['critical', 'serious']))
    .max(2)
    .default([]),
  mutedUntil: instant.nullable().default(null),
  quiet: z
    .strictObject({ from: minute, until: minute, zone: text(64) })
    .nullable()
    .default(null)
    .describe(
      'Local hours without alerts, in minutes of the day; `zone` is an IANA name. Critical alerts within 20 km still come.',
    ),
});
