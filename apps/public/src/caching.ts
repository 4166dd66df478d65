/** Seconds that browsers and caches may show what has been taken away since, and not one more while we are away (RFC 9111 §5.2.2.2). */
const MAX_AGE_S = 30;

/** A forward link's page is its visitor's only: a shared cache would hide the next visitor from the count. */
export type Caching = 'public' | 'private' | 'none';

export const CACHE_CONTROL: Readonly<Record<Caching, string>> = {
  public: `public, max-age=${MAX_AGE_S}, must-revalidate`,
  private: `private, max-age=${MAX_AGE_S}, must-revalidate`,
  none: 'no-store',
};
