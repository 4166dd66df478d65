// The npm package fcm-v1-http2 with its own defaults: ten connections of a hundred streams each.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { groupsOf, serve, wireMessageFor } from './job.ts';
import { toSimulator } from './redirect.ts';

/** Unregistered tokens are what it gives back. */
type Client = new (options: object) => { sendMulticast(message: object, tokens: readonly string[]): Promise<string[]> };
interface Google {
  readonly google: { readonly auth: { readonly JWT: { readonly prototype: object } } };
}

const load = createRequire(join(import.meta.dirname, '../peers/package.json'));
toSimulator();
const { google } = load('googleapis') as Google;
// It signs in with Google for each call; here the simulator's bearer is at hand.
Object.assign(google.auth.JWT.prototype, {
  authorize: (done: (error: null, tokens: object) => void) => done(null, { access_token: process.env['FCM_BEARER'] }),
});
const FcmClient = load('fcm-v1-http2') as Client;
const client = new FcmClient({ serviceAccount: { project_id: process.env['FCM_PROJECT_ID'] } });

serve(async (recipients, { alert }) => {
  let accepted = 0;
  for (const group of groupsOf(recipients)) {
    const dead = await client.sendMulticast(wireMessageFor(group, alert), group.tokens);
    accepted += group.tokens.length - dead.length;
  }
  return accepted;
});
