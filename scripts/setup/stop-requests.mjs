import { commandOf, identify, isAlive, parentOf } from './processes.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
// npm passes on the signals that the terminal also sends us itself: two so close together are one key press.
const ONE_PRESS_MS = 700;
const NPM_POLL_MS = 500;

/**
 * Turns signals, and the death of the npm that started us, into a request to stop; a second signal hurries it, a third
 * does not wait at all.
 * @returns {{ stop: AbortSignal, hurry: AbortSignal, code: () => number, close: () => void }} code: the exit code due
 */
export function listenForStop() {
  const stop = new AbortController();
  const hurry = new AbortController();
  let code = 0;
  let latest = 0;
  const request = (signal) => {
    const again = Date.now() - latest < ONE_PRESS_MS;
    latest = Date.now();
    if (stop.signal.aborted && again) return;
    if (hurry.signal.aborted) process.exit(code); // what we started is tied to us and ends too
    if (stop.signal.aborted) return hurry.abort();
    code = signal === 'SIGINT' ? 130 : 143; // 128 + the signal's number, as shells do
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, request);
  const poll = watchNpm(() => request('SIGTERM'));
  const close = () => {
    for (const signal of SIGNALS) process.off(signal, request);
    clearInterval(poll);
  };
  return { stop: stop.signal, hurry: hurry.signal, code: () => code, close };
}

/** A killed npm says nothing to us, nor does the shell it put between: so we look. The timer also keeps us up meanwhile. */
function watchNpm(onGone) {
  const npm = process.env.npm_lifecycle_event === undefined ? undefined : identify(npmAbove(process.ppid));
  return setInterval(() => npm && !isAlive(npm) && onGone(), NPM_POLL_MS);
}

/** npm runs a script as `sh -c SCRIPT`; some shells become the script's program, others stay and wait for it. */
const npmAbove = (parent) => (/^\S*sh -c /.test(commandOf(parent)) ? parentOf(parent) : parent);
