/**
 * A login: 3 to 64 letters, digits, `.`, `_`, `@` and `-` of ASCII alone. Beyond it PostgreSQL and JavaScript disagree on
 * what a lower-case letter is (`İ`), and one officer would have the guess budget of two.
 */
export const LOGIN = /^[\w.@-]{3,64}$/;
