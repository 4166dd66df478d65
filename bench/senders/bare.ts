// What the transport costs at least: one long-lived HTTP/2 session at its hundred streams, which is cheaper than several
// beside a server that answers at once; one body a phone, put together from two strings. It keeps no books, reads no more of an answer than its status, and could not go on after a fault.
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { type Recipient, serve, wireMessageFor } from './job.ts';

const STREAMS = 100;

const { FCM_ENDPOINT = '', FCM_CA = '', FCM_PROJECT_ID = '', FCM_BEARER = '' } = process.env;
const ca = readFileSync(FCM_CA);
const session = connect(FCM_ENDPOINT, { ca });
const path = `/v1/projects/${FCM_PROJECT_ID}/messages:send`;
const headers = { ':method': 'POST', ':path': path, authorization: `Bearer ${FCM_BEARER}` };

serve((recipients, { alert }) => {
  const { promise: done, resolve } = Promise.withResolvers<number>();
  const bodies = new Map<string, string>();
  const bodyFor = (recipient: Recipient) => {
    const key = recipient.platform + recipient.language;
    const known = bodies.get(key);
    if (known !== undefined) return known;
    const open = `{"message":${JSON.stringify(wireMessageFor(recipient, alert)).slice(0, -1)},"token":"`;
    bodies.set(key, open);
    return open;
  };
  let [next, ended, accepted] = [0, 0, 0];
  const send = () => {
    const recipient = recipients[next++];
    if (!recipient) return;
    const stream = session.request(headers);
    stream.on('response', (answer) => {
      if (answer[':status'] === 200) accepted++;
    });
    stream.on('close', () => {
      if (++ended === recipients.length) resolve(accepted);
      send();
    });
    stream.resume();
    stream.end(`${bodyFor(recipient)}${recipient.token}"}}`);
  };
  for (let n = 0; n < STREAMS; n++) send();
  return done;
});
