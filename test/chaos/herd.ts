import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { LonLat } from '#geo';
import { secretOf } from '../harness/stored-devices.ts';

/** One request of a phone. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Heard {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  /** Whether it said when to come again. */
  readonly retryAfter: boolean;
  /** What ended the connection, e.g. `ECONNRESET`. */
  readonly broken?: string;
}

/** A device tells where it is. */
export function positionCall(id: number, [lon, lat]: LonLat): Call {
  return {
    method: 'PUT',
    path: '/v1/devices/me/position',
    headers: { authorization: `Bearer g72d_${secretOf(id - 1)}` },
    body: JSON.stringify({ place: { lon, lat, datum: 'wgs84' } }),
  };
}

/** How often calls that are due are made. */
const TICK_MS = 20;

/** Phones that do not wait for each other. */
export class Herd {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: Infinity });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Makes the calls at a rate, however long answers take; calls a second. @returns the answers, in the order of the calls */
  async offer(calls: readonly Call[], perSecond: number): Promise<Heard[]> {
    const began = performance.now();
    const heard: Promise<Heard>[] = [];
    while (heard.length < calls.length) {
      const due = Math.min(calls.length, Math.ceil(((performance.now() - began) / 1000) * perSecond));
      while (heard.length < due) heard.push(this.call(calls[heard.length] as Call));
      await pause(TICK_MS);
    }
    return Promise.all(heard);
  }

  call({ method, path, headers, body }: Call): Promise<Heard> {
    const { promise, resolve } = Promise.withResolvers<Heard>();
    const typed = { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request(new URL(path, this.#url), { method, agent: this.#agent, headers: typed }, (answer) => {
      answer.resume();
      const retryAfter = answer.headers['retry-after'] !== undefined;
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, retryAfter }));
    });
    asked.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      resolve({ status: 0, retryAfter: false, broken: code });
    });
    asked.end(body);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}
