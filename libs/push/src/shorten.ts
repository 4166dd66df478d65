const ELLIPSIS = '…';
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** UTF-8 bytes of a text inside JSON quotes, escapes included. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/**
 * The text itself where it fits `room` bytes of JSON, else as much of it as fits with an ellipsis, cut between
 * graphemes so that no character, accent, flag or family falls apart. `null` where not even the ellipsis fits.
 */
export function shorten(text: string, room: number): string | null {
  if (jsonBytes(text) <= room) return text;
  let left = room - jsonBytes(ELLIPSIS);
  if (left < 0) return null;
  let end = 0;
  for (const { segment } of graphemes.segment(text)) {
    left -= jsonBytes(segment);
    if (left < 0) break;
    end += segment.length;
  }
  return text.slice(0, end).trimEnd() + ELLIPSIS;
}
