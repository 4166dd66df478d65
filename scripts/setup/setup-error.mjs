/** A failure whose message is written for the person at the terminal: printed without a stack. */
export class SetupError extends Error {}
