import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * How a network behaves. `silent`: connections stand and are taken, and nothing passes, as behind a dead switch. `drip`: what the
 * far side answers comes a few bytes at a time.
 */
export type Weather = 'fair' | 'silent' | 'drip';

/** Bytes of one drop, and milliseconds between two: 2 KB/s a connection, some ten of FCM's answers. */
const DROP = { bytes: 100, everyMs: 50 } as const;

/** A stretch of network between a process and a server, which can be disturbed. */
export class Proxy {
  readonly port: number;
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #weather: Weather = 'fair';

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (near) => this.#join(near, targetPort));
  }

  /** @param targetPort of 127.0.0.1 */
  static async to(targetPort: number): Promise<Proxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server, targetPort);
  }

  get connections(): number {
    return this.#lines.size;
  }

  turn(weather: Weather): void {
    this.#weather = weather;
    for (const line of this.#lines) line.turn(weather);
  }

  /** From now on nothing passes on the connections that stand, as when a router has forgotten them; new ones are fair. @returns how many */
  strand(): number {
    for (const line of this.#lines) line.turn('silent');
    return this.#lines.size;
  }

  /** Breaks every connection without a goodbye. @returns how many */
  cut(): number {
    const { size } = this.#lines;
    for (const line of this.#lines) line.cut();
    return size;
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #join(near: Socket, targetPort: number): void {
    const line = new Line(near, connect(targetPort, '127.0.0.1'), () => this.#lines.delete(line));
    this.#lines.add(line);
    line.turn(this.#weather);
  }
}

/** One connection through the proxy. */
class Line {
  readonly #near: Socket;
  readonly #far: Socket;
  #weather: Weather = 'fair';
  #timer: NodeJS.Timeout | undefined;

  constructor(near: Socket, far: Socket, gone: () => void) {
    this.#near = near;
    this.#far = far;
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.cut();
        gone();
      });
    }
    this.#pass(near, far);
    far.on('readable', () => this.#answer());
    far.on('end', () => near.end());
  }

  turn(weather: Weather): void {
    this.#weather = weather;
    if (weather === 'silent') this.#near.pause();
    else this.#near.resume();
    this.#answer();
  }

  cut(): void {
    clearTimeout(this.#timer);
    this.#near.destroy();
    this.#far.destroy();
  }

  #pass(from: Socket, to: Socket): void {
    from.on('data', (bytes: Buffer) => {
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (this.#weather !== 'silent') from.resume();
    });
    from.on('end', () => to.end());
  }

  /** Passes on what the far side has said, as fast as the weather lets it. */
  #answer(): void {
    if (this.#weather === 'silent' || this.#near.destroyed) return;
    if (this.#weather === 'fair') {
      for (let bytes = this.#read(); bytes !== null; bytes = this.#read()) this.#near.write(bytes);
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const bytes = this.#read(Math.min(DROP.bytes, this.#far.readableLength));
      if (bytes !== null) this.#near.write(bytes);
      if (this.#far.readableLength > 0) this.#answer();
    }, DROP.everyMs);
  }

  #read(bytes?: number): Buffer | null {
    return this.#far.read(bytes) as Buffer | null;
  }
}
