import type { Operation } from './document.ts';
import { FormBody, type Rule } from './rules.ts';
import { form } from './things.ts';

const SLUG = [{ in: 'path' as const, name: 'slug' }];
const page = (method: string, template: string, ...types: string[]): Operation => ({
  name: `${method} ${template}`,
  ...{ method, template, parameters: SLUG },
  bodies: new Map(types.map((type) => [type, {}])),
});

/** What the public page serves; it has no document, for browsers ask for none. */
export const PAGES: readonly Operation[] = [
  page('GET', '/a/{slug}'),
  page('GET', '/a/{slug}/photo.jpg'),
  page('GET', '/a/{slug}/thanks'),
  page('POST', '/a/{slug}/forward', 'application/json'),
  page('POST', '/a/{slug}/sightings', 'multipart/form-data'),
];

const open: Rule = { by: 'public', on: 'live', ok: 200 };

export const PAGE_RULES: Readonly<Record<string, Rule>> = {
  'GET /a/{slug}': open,
  'GET /a/{slug}/photo.jpg': open,
  'GET /a/{slug}/thanks': open,
  'POST /a/{slug}/forward': { ...open, ok: 201, body: ({ thing }) => ({ parent: thing.forward }) },
  'POST /a/{slug}/sightings': {
    ...open,
    ok: 303,
    body: () => new FormBody(form(Buffer.alloc(0), { words: 'A child in a yellow raincoat.', ago: '10' })),
  },
};
