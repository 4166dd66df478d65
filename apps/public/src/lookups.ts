import { Injectable } from '@nestjs/common';
import { type PublicAlert, PublicAlerts } from '#dispatch';
import { Coalesced, tooManyRequests } from '#platform';

/** Slugs of one statement, and those that may wait for the next ones: each is 64 characters at most. */
const BOUNDS = { statement: 500, waiting: 5_000 };

interface Waiting {
  resolve(alert: PublicAlert | null): void;
  reject(error: unknown): void;
}

/**
 * Reads alerts for pages, one statement at a time: what is asked for meanwhile goes into the next. So whoever makes slugs up
 * keeps one connection busy, however many they make.
 */
@Injectable()
export class Lookups {
  private waiting = new Map<string, Waiting[]>();
  private readonly reads = new Coalesced(() => this.read());

  constructor(private readonly alerts: PublicAlerts) {}

  /** @throws Refusal `too_many_requests` when too many different ones wait already. */
  async bySlug(slug: string): Promise<PublicAlert | null> {
    const together = this.waiting.get(slug) ?? [];
    if (together.length === 0) {
      if (this.waiting.size >= BOUNDS.waiting) throw tooManyRequests(1);
      this.waiting.set(slug, together);
    }
    const { promise, resolve, reject } = Promise.withResolvers<PublicAlert | null>();
    together.push({ resolve, reject });
    void this.reads.run();
    return promise;
  }

  /** Never rejects: a read that fails fails those that it was for. */
  private async read(): Promise<void> {
    const asked = [...this.waiting].slice(0, BOUNDS.statement);
    for (const [slug] of asked) this.waiting.delete(slug);
    if (this.waiting.size > 0) void this.reads.run();
    try {
      const found = await this.alerts.bySlugs(asked.map(([slug]) => slug));
      for (const [slug, all] of asked) for (const one of all) one.resolve(found.get(slug) ?? null);
    } catch (error) {
      for (const [, all] of asked) for (const one of all) one.reject(error);
    }
  }
}
