// firebase-admin as its documentation uses it: 500 tokens a call, one call after the other.
import { applicationDefault, initializeApp } from 'firebase-admin/app';
import { getMessaging, type MulticastMessage } from 'firebase-admin/messaging';
import { groupsOf, messageFor, serve } from './job.ts';
import { toSimulator } from './redirect.ts';

const A_CALL = 500;

toSimulator();
initializeApp({ credential: applicationDefault() });
const messaging = getMessaging();

serve(async (recipients, { alert }) => {
  let accepted = 0;
  for (const group of groupsOf(recipients)) {
    const message = messageFor(group, alert);
    for (let from = 0; from < group.tokens.length; from += A_CALL) {
      const tokens = group.tokens.slice(from, from + A_CALL);
      accepted += (await messaging.sendEachForMulticast({ ...message, tokens } as MulticastMessage)).successCount;
    }
  }
  return accepted;
});
