import { readFileSync } from 'node:fs';
import http2, { type OutgoingHttpHeaders } from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Leads every HTTP/2 connection of this process to the simulator: both clients have Google's address in their code.
 * firebase-admin also writes the scheme as `https:`, which Google's servers let pass and Node's do not.
 */
export function toSimulator(): void {
  const connect = http2.connect;
  const { FCM_ENDPOINT = '', FCM_CA = '' } = process.env;
  const ca = readFileSync(FCM_CA);
  const led = (_authority: string | URL, options?: object) => {
    const session = connect(FCM_ENDPOINT, { ...options, ca });
    const request = session.request.bind(session);
    session.request = (headers, ...rest) => {
      const mended = { ...(headers as OutgoingHttpHeaders) };
      if (mended[':scheme'] === 'https:') mended[':scheme'] = 'https';
      return request(mended, ...rest);
    };
    return session;
  };
  Object.assign(http2, { connect: led });
  syncBuiltinESMExports();
}
