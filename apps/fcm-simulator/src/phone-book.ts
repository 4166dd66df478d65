/**
 * Which phone was sent, and shows, which version of which alert. Held in typed arrays: a million phones with one alert
 * each take about 60 MB and their references, texts counted once for all.
 */
import { hashText } from './random.ts';
import { Pages } from './pages.ts';
import { PairTable } from './pair-table.ts';
import { RefStore } from './ref-store.ts';
import type { Payload } from './payload.ts';
import type { JsonObject } from './proto-json.ts';

/** Distinct texts kept; a run sends a few per alert. Beyond it phones show what they were sent without its text. */
const MAX_CONTENTS = 10_000;
/** Versions of one alert told apart when looking for duplicates; later ones share the last place. */
const MAX_VERSIONS = 32;
/** What differs between phones shown the same text. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['ref', 'band', 'version', 'alert']);

/** A message as a phone gets it; its text is a number, so that a million under way share one. */
export interface Delivery {
  /** Number of the phone and alert together. */
  readonly entry: number;
  readonly content: number;
  readonly kind: number;
  readonly version: number;
  readonly band: number;
  readonly ref: string;
}

/** What a new message means for the books. */
export interface Arrival {
  readonly delivery: Delivery;
  /** The token had this version of the alert before. */
  readonly duplicate: boolean;
  /** The token's first message … */
  readonly firstOfAll: boolean;
  /** … of this kind, … */
  readonly firstOfKind: boolean;
  /** … of this alert, … */
  readonly firstOfAlert: boolean;
  /** … of this kind within the alert. */
  readonly firstOfAlertKind: boolean;
}

export class PhoneBook {
  readonly #phones = new PairTable();
  readonly #entries = new PairTable();
  readonly #alerts = new Map<string, number>();
  readonly #alertNames: string[] = [];
  readonly #versions: Map<number, number>[] = [];
  readonly #contents = new Map<string, number>();
  readonly #contentData: JsonObject[] = [];
  readonly #refs = new RefStore();
  /** Messages of one wave come one after the other, so the last text is mostly the next one too. */
  #lastContent = -1;
  readonly #phoneKinds = new Pages(Uint8Array);
  readonly #entryKinds = new Pages(Uint8Array);
  readonly #sent = new Pages(Uint32Array);
  readonly #shown = new Pages(Float64Array, -1);
  readonly #content = new Pages(Int32Array, -1);
  readonly #band = new Pages(Int32Array);

  get phones(): number {
    return this.#phones.size;
  }

  /** Notes that the message was sent to the token. */
  arrive(token: string, payload: Payload): Arrival {
    const phone = this.#phones.add(hashText(token, 1), hashText(token, 2));
    const alert = this.#alertNumber(payload.alert);
    const entry = this.#entries.add(phone, alert);
    const kindBit = 1 << payload.kind;
    const phoneKinds = this.#phoneKinds.get(phone);
    const entryKinds = this.#entryKinds.get(entry);
    const sent = this.#sent.get(entry);
    const versionBit = (1 << this.#versionPlace(alert, payload.version)) >>> 0;
    this.#phoneKinds.set(phone, phoneKinds | kindBit);
    this.#entryKinds.set(entry, entryKinds | kindBit);
    this.#sent.set(entry, (sent | versionBit) >>> 0);
    return {
      delivery: {
        entry,
        content: this.#contentNumber(payload.data),
        kind: payload.kind,
        version: payload.version,
        band: payload.band,
        ref: payload.ref,
      },
      duplicate: (sent & versionBit) !== 0,
      firstOfAll: phoneKinds === 0,
      firstOfKind: (phoneKinds & kindBit) === 0,
      firstOfAlert: entryKinds === 0,
      firstOfAlertKind: (entryKinds & kindBit) === 0,
    };
  }

  /** The version the phone shows of the alert, or -1. */
  shownVersion(entry: number): number {
    return this.#shown.get(entry);
  }

  /** Makes the phone show the message instead of whatever it showed of this alert. */
  show(delivery: Delivery): void {
    const { entry } = delivery;
    this.#shown.set(entry, delivery.version);
    this.#band.set(entry, delivery.band);
    this.#content.set(entry, delivery.content);
    this.#refs.set(entry, delivery.ref);
  }

  /** What the phone shows, as it was sent; undefined when it shows nothing. */
  shownData(entry: number): JsonObject | undefined {
    if (this.shownVersion(entry) < 0) return undefined;
    const content = this.shownContent(entry);
    const band = this.#band.get(entry);
    const alert = this.alertOf(entry);
    const version = String(this.shownVersion(entry));
    return { ...content, alert, version, ref: this.#refs.get(entry), ...(band >= 0 && { band: String(band) }) };
  }

  /** The fields that all phones shown this text share. */
  shownContent(entry: number): JsonObject {
    return this.content(this.#content.get(entry));
  }

  /** The fields of a text by its number. */
  content(number: number): JsonObject {
    return this.#contentData[number] ?? {};
  }

  refOf(entry: number): string {
    return this.#refs.get(entry);
  }

  alertOf(entry: number): string {
    return this.#alertNames[this.#entries.second(entry)] ?? '';
  }

  /** Two words that stand for the phone and the alert, from which its decisions follow. */
  identity(entry: number): readonly [hi: number, lo: number] {
    const phone = this.#entries.first(entry);
    return [this.#phones.first(phone), this.#phones.second(phone) ^ Math.imul(this.#entries.second(entry), 0x27d4eb2f)];
  }

  /** Two words that stand for the phone alone. */
  phoneIdentity(entry: number): readonly [hi: number, lo: number] {
    const phone = this.#entries.first(entry);
    return [this.#phones.first(phone), this.#phones.second(phone)];
  }

  /** Everything the token's phone shows, one payload per alert. */
  shownBy(token: string): JsonObject[] {
    const phone = this.#phones.find(hashText(token, 1), hashText(token, 2));
    if (phone < 0) return [];
    return this.#alertNames.flatMap((_, alert) => {
      const entry = this.#entries.find(phone, alert);
      const data = entry < 0 ? undefined : this.shownData(entry);
      return data === undefined ? [] : [data];
    });
  }

  #alertNumber(alert: string): number {
    let number = this.#alerts.get(alert);
    if (number === undefined) {
      number = this.#alertNames.push(alert) - 1;
      this.#alerts.set(alert, number);
      this.#versions.push(new Map());
    }
    return number;
  }

  #versionPlace(alert: number, version: number): number {
    const places = this.#versions[alert];
    let place = places?.get(version);
    if (place === undefined) {
      place = Math.min(places?.size ?? 0, MAX_VERSIONS - 1);
      if (place < MAX_VERSIONS - 1) places?.set(version, place);
    }
    return place;
  }

  #contentNumber(data: JsonObject): number {
    const last = this.#contentData[this.#lastContent];
    if (last !== undefined && sameContent(last, data)) return this.#lastContent;
    const shared = Object.fromEntries(Object.entries(data).filter(([name]) => !OWN_FIELDS.has(name)));
    const key = JSON.stringify(shared);
    let number = this.#contents.get(key);
    if (number === undefined && this.#contents.size < MAX_CONTENTS) {
      number = this.#contentData.push(shared) - 1;
      this.#contents.set(key, number);
    }
    this.#lastContent = number ?? -1;
    return this.#lastContent;
  }
}

function sameContent(content: JsonObject, data: JsonObject): boolean {
  let fields = 0;
  for (const name in data) {
    if (OWN_FIELDS.has(name)) continue;
    if (content[name] !== data[name]) return false;
    fields++;
  }
  return fields === Object.keys(content).length;
}
