import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

/** What the request under way tells about where it comes from and why. */
export interface RequestFacts {
  /** The client's network, see `networkOf`: to be digested before anything of it is kept. */
  readonly network: string;
  /** The officer's session, by its public id; null before anybody is known. */
  readonly sessionId: string | null;
  /** A code by which the officer says why; null where none is stated. */
  readonly reason: string | null;
}

/** Carries a request's facts to whoever records what it does, so that no service has to hand them on. */
@Injectable()
export class RequestContext {
  private readonly storage = new AsyncLocalStorage<RequestFacts>();

  /** Calls `work`; it and everything that it starts finds `facts` as {@link current}. */
  run<Result>(facts: RequestFacts, work: () => Result): Result {
    return this.storage.run(facts, work);
  }

  /** Null outside of a request: a worker's job, a command. */
  get current(): RequestFacts | null {
    return this.storage.getStore() ?? null;
  }
}
