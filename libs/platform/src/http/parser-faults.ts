import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyServerOptions } from 'fastify';

/** What becomes of bytes that are no HTTP request, by Node's code of the error; any other is a 400. */
const STATUSES: Readonly<Record<string, ParserFault>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** How long a client may go on reading, in milliseconds: closing at once could take the answer from it. */
const LINGER_MS = 2_000;

export type ParserFault = 400 | 408 | 413 | 431;

export interface ParserAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Answers a request that Node's parser refuses, which no hook, no route and no filter ever hears of. */
export function parserFaultHandler(
  answer: (fault: ParserFault) => ParserAnswer,
): NonNullable<FastifyServerOptions['clientErrorHandler']> {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return void socket.destroy();
    // The parser complains again of whatever still comes.
    if (socket.writableEnded) return;
    const fault = STATUSES[error.code] ?? 400;
    socket.end(rawAnswer(fault, answer(fault)));
    lingerOver(socket);
  };
}

function rawAnswer(fault: ParserFault, { headers, body }: ParserAnswer): Buffer {
  const fields = { ...headers, 'content-length': `${Buffer.byteLength(body)}`, connection: 'close' };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${fault} ${STATUS_CODES[fault]}\r\n${head.join('')}\r\n`), bytes]);
}

function lingerOver(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
