import { createHash } from 'node:crypto';
import { SCRIPT } from './views/script.ts';
import { STYLE } from './views/style.ts';

const hashOf = (inline: string) => `'sha256-${createHash('sha256').update(inline).digest('base64')}'`;

/** Our one style and our one script, known by their hashes, our own pictures and forms, and nothing else (CSP level 3). */
const CONTENT_SECURITY_POLICY = [
  `default-src 'none'`,
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  `img-src 'self' data:`,
  `connect-src 'self'`,
  `form-action 'self'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** On every answer. The address of a page holds the link by which somebody came: it is told to nobody. */
export const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  // A page that we are opened from, or that we open, is a stranger.
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'geolocation=(self), camera=(), microphone=(), payment=(), usb=(), browsing-topics=()',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, noarchive, noimageindex',
};
