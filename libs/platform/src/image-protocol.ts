/** How image-process.ts and image-decoder.ts understand each other. */

/** What the decoder writes first, once it can work. */
export const READY = 'R';

/** Bytes before the JPEG: width and height, 32 bits each. */
export const RESULT_HEADER = 8;

/** The decoder's exit codes; any other is a fault of ours. */
export const EXIT = { drawn: 0, notAnImage: 3, tooLarge: 4 } as const;
