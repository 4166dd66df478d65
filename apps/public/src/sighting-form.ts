import { z } from 'zod';
import { hasVisible, withoutBidiControls } from '#platform';
import type { SightingReport } from '#sightings';
import { type FormFault, MINUTES_AGO } from './texts.ts';

/**
 * What a browser sends of a text field: CRLF for every line break (HTML §4.10.21.7). PostgreSQL stores no NUL. What nobody
 * can see is nothing.
 */
const text = (max: number) =>
  z
    .string()
    .default('')
    .transform((value) =>
      withoutBidiControls(value.replaceAll('\0', '').replaceAll('\r\n', '\n')).normalize('NFC').trim(),
    )
    .transform((value) => (hasVisible(value) ? value : ''))
    .pipe(z.string().max(max, 'too_long' satisfies FormFault));

const optional = (max: number) => text(max).transform((value) => (value === '' ? null : value));

/** A field that only the page's script fills in: what is not a number within bounds is as good as nothing. */
const degrees = (bound: number) =>
  z.string().min(1).transform(Number).pipe(z.number().min(-bound).max(bound)).nullable().catch(null);

const form = z.object({
  words: text(2000).pipe(z.string().min(1, 'words_missing' satisfies FormFault)),
  place: optional(300),
  contact: optional(200),
  ago: z.string().min(1).transform(Number).pipe(z.literal(MINUTES_AGO)).nullable().catch(null),
  lon: degrees(180),
  lat: degrees(90),
  key: z
    .string()
    .regex(/^[\w-]{16,64}$/)
    .nullable()
    .catch(null),
});

export interface ReadForm {
  readonly report: SightingReport;
  /** Made by the page's script, so that a form sent twice is one sighting. */
  readonly key: string | null;
}

/** Reads the page's form. `now` is when it was sent; @returns what is wrong with it instead, where something is. */
export function readForm(fields: unknown, photo: Buffer | null, now: Date): ReadForm | FormFault {
  const parsed = form.safeParse(fields);
  if (!parsed.success) return faultOf(parsed.error);
  const { words, place, contact, ago, lon, lat, key } = parsed.data;
  const observedAt = ago === null ? null : new Date(now.getTime() - ago * 60_000);
  const point = lon === null || lat === null ? null : ([lon, lat] as const);
  return { report: { words, place, contact, point, observedAt, photo: photo?.length ? photo : null }, key };
}

function faultOf(error: z.ZodError): FormFault {
  const messages = error.issues.map((issue) => issue.message);
  return messages.find((message) => message === 'too_long' || message === 'words_missing') ?? 'form_unreadable';
}

/** What was written, to be shown again in a form that comes back. */
export function writtenIn(fields: unknown): Record<string, string> {
  return textsOf(fields, ['words', 'place', 'contact', 'ago']);
}

/** What was sent in the fields that the form has, as it was sent. */
export function sentIn(fields: unknown): Record<string, string> {
  return textsOf(fields, Object.keys(form.shape));
}

function textsOf(fields: unknown, names: readonly string[]): Record<string, string> {
  const sent = z.record(z.string(), z.unknown()).catch({}).parse(fields);
  const texts = names.map((name) => [name, sent[name]] as const);
  return Object.fromEntries(texts.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
