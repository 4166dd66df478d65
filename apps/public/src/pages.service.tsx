import { Inject, Injectable } from '@nestjs/common';
import { type Language, type PublicAlert, PublicAlerts } from '#dispatch';
import { ENV, type Env } from '#platform';
import { Fresh } from './fresh.ts';
import { Lookups } from './lookups.ts';
import { notice, type Page, rendered } from './rendered.tsx';
import { SharedPage } from './shared-page.ts';
import { AlertPage } from './views/alert-page.tsx';
import { EndedPage, ThanksPage } from './views/quiet-pages.tsx';
import type { FormState } from './views/sighting-form.tsx';

/**
 * A page is read from the database once a second at most, whoever asks; when the database is away the last one stands in
 * for so long that with the browsers' half minute a photo is still gone a minute after the ending.
 */
const FRESHNESS = { maxAgeMs: 1000, maxStaleMs: 20_000 };
const SLUG = /^[\w-]{1,64}$/;

export type Photo = Awaited<ReturnType<PublicAlerts['photo']>>;

/** An alert as it was a moment ago, with its pages as far as somebody has asked for them. */
interface Snapshot {
  readonly alert: PublicAlert | null;
  /** What the pages are made of: the same says the same. */
  readonly source: string;
  readonly pages: Map<Language, SharedPage>;
  readonly making: Map<Language, Promise<SharedPage>>;
}

@Injectable()
export class Pages {
  private readonly snapshots = new Fresh<Snapshot>({ ...FRESHNESS, maxEntries: 1000 });
  /** What was nothing a moment ago: apart, so that made-up addresses push no alert out of memory. */
  private readonly nothings = new Fresh<Snapshot>({ ...FRESHNESS, maxEntries: 1000 });
  private readonly nothing = snapshotOf(null);
  /** Few: a photo is some 200 kB. */
  private readonly photos = new Fresh<Photo>({ ...FRESHNESS, maxEntries: 50 });

  constructor(
    private readonly alerts: PublicAlerts,
    private readonly lookups: Lookups,
    @Inject(ENV) private readonly env: Pick<Env, 'PUBLIC_URL'>,
  ) {}

  /** @returns the alert, or null when there is none; at most a second old. */
  async alert(slug: string): Promise<PublicAlert | null> {
    return (await this.snapshot(slug)).alert;
  }

  /** The page of {@link page}, where it needs no waiting. */
  ready(slug: string, language: Language): SharedPage | undefined {
    return (this.snapshots.ready(slug) ?? this.nothings.ready(slug))?.pages.get(language);
  }

  /** The page at an alert's address, whatever has become of it. */
  async page(slug: string, language: Language): Promise<SharedPage> {
    const { alert, pages, making } = await this.snapshot(slug);
    const known = pages.get(language) ?? making.get(language);
    if (known) return known;
    const page = SharedPage.of(alert ? this.render(alert, language) : notice('notFound', language), language, alert);
    making.set(language, page);
    pages.set(language, await page);
    return page;
  }

  async photo(slug: string): Promise<Photo> {
    const alert = await this.alert(slug);
    if (!alert) return null;
    return alert.state === 'live' ? this.photos.get(slug, () => this.alerts.photo(slug)) : 'gone';
  }

  /** The page of an open alert with its form as it was sent and what is wrong with it. */
  async form(slug: string, language: Language, status: number, form: FormState): Promise<Page> {
    const { alert } = await this.snapshot(slug);
    if (!alert || alert.state === 'ended') return this.page(slug, language);
    return rendered(status, <AlertPage alert={alert} language={language} origin={this.env.PUBLIC_URL} form={form} />);
  }

  async thanks(slug: string, language: Language): Promise<Page> {
    const { alert } = await this.snapshot(slug);
    if (!alert || alert.state === 'ended') return this.page(slug, language);
    return rendered(200, <ThanksPage alert={alert} language={language} />);
  }

  /** The page after a refusal has shown that the alert is not what it was a moment ago. */
  pageAnew(slug: string, language: Language): Promise<Page> {
    this.snapshots.forget(slug);
    this.nothings.forget(slug);
    return this.page(slug, language);
  }

  private render(alert: PublicAlert, language: Language): Page {
    if (alert.state === 'ended') return rendered(410, <EndedPage alert={alert} language={language} />);
    return rendered(200, <AlertPage alert={alert} language={language} origin={this.env.PUBLIC_URL} />);
  }

  private snapshot(slug: string): Promise<Snapshot> {
    if (!SLUG.test(slug)) return Promise.resolve(this.nothing);
    if (this.snapshots.has(slug)) return this.snapshots.get(slug, (last) => this.load(slug, last));
    return this.nothings.get(slug, async () => {
      const snapshot = await this.load(slug, this.nothing);
      if (snapshot.alert) this.snapshots.put(slug, snapshot);
      return snapshot;
    });
  }

  /** The pages of before stay where the alert is what it was. */
  private async load(slug: string, last: Snapshot | undefined): Promise<Snapshot> {
    const snapshot = snapshotOf(await this.lookups.bySlug(slug));
    return last?.source === snapshot.source ? last : snapshot;
  }
}

function snapshotOf(alert: PublicAlert | null): Snapshot {
  return { alert, source: JSON.stringify(alert), pages: new Map(), making: new Map() };
}
