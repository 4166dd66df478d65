/** One HTTP/2 session: how many streams are open on it, and its GOAWAY. */
import { constants, type ServerHttp2Session } from 'node:http2';
import type { Settings } from './settings.ts';
import type { Tally } from './tally.ts';

export class FcmSession {
  readonly #session: ServerHttp2Session;
  readonly #tally: Tally;
  #settings: Settings;
  #requests = 0;
  #open = 0;
  /** The highest stream answered so far. */
  #answered = 0;
  #leaving = false;

  constructor(session: ServerHttp2Session, settings: Settings, tally: Tally) {
    this.#session = session;
    this.#settings = settings;
    this.#tally = tally;
  }

  configure(settings: Settings): void {
    this.#settings = settings;
  }

  opened(): void {
    this.#requests++;
    this.#open++;
    if (this.#open > this.#tally.maxConcurrentStreams) this.#tally.maxConcurrentStreams = this.#open;
    const { goawayEvery } = this.#settings;
    if (goawayEvery > 0 && this.#requests >= goawayEvery && !this.#leaving) this.#leave();
  }

  answered(streamId: number): void {
    if (streamId > this.#answered) this.#answered = streamId;
  }

  closed(): void {
    this.#open--;
    if (this.#open === 0 && this.#leaving && !this.#session.destroyed) this.#session.close();
  }

  /** `abrupt` can only disown streams later than one it has answered: until then the session stays. */
  #leave(): void {
    const { goawayKind } = this.#settings;
    if (goawayKind === 'abrupt' && this.#answered === 0) return;
    this.#leaving = true;
    this.#tally.goaways++;
    if (goawayKind === 'abrupt') this.#session.goaway(constants.NGHTTP2_NO_ERROR, this.#answered);
    else this.#session.close();
  }
}
