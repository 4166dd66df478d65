import { createServer } from 'node:net';

/**
 * A port of 127.0.0.1 that is free now: the preferred one if it is, so that addresses stay the same from run to run.
 * @param {number} [preferred]
 * @returns {Promise<number>}
 */
export async function freePort(preferred) {
  return (preferred && (await tryPort(preferred))) || tryPort(0);
}

function tryPort(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (port === 0 ? reject(error) : resolve(undefined)));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: found } = server.address();
      server.close(() => resolve(found));
    });
  });
}
