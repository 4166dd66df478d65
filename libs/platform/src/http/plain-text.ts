/** Explicit embeddings, overrides and isolates (UAX #9): they reorder what stands around them, also in a public text. */
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/** Letters, numbers, punctuation and symbols that leave a mark: not fillers and joiners (UAX #44), nor the blank of Braille. */
const VISIBLE = /[[\p{L}\p{N}\p{P}\p{S}]--[\p{Default_Ignorable_Code_Point}\u2800]]/v;

/** Removed rather than refused: telephones put them around the numbers that people copy. */
export function withoutBidiControls(text: string): string {
  return text.replace(BIDI_CONTROLS, '');
}

/** Whether anything of the text can be seen. */
export function hasVisible(text: string): boolean {
  return VISIBLE.test(text);
}
