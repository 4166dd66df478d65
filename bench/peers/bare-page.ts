// Bare Fastify sending one page: the same bytes under the same headers, and no other work. argv[2]: a BarePage in JSON.
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';

export interface BarePage {
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** File with the body. */
  readonly body: string;
}

const { path, status, headers, body } = JSON.parse(process.argv[2] ?? '') as BarePage;
const bytes = readFileSync(body);
// Node's own headers tell both: the same ones.
const server = Fastify({ keepAliveTimeout: 10_000, maxRequestsPerSocket: 10_000 });
server.get(path, (_request, reply) => reply.status(status).headers(headers).send(bytes));
await server.listen({ port: 0, host: '127.0.0.1' });
process.on('SIGTERM', () => process.exit(0));
process.send?.({ url: server.listeningOrigin });
