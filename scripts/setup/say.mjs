// Everything the bootstrap says goes to stderr: stdout belongs to the program it runs.
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const HEARTBEAT_MS = 15_000;
const terminal = process.stderr.isTTY === true;
const running = new Map();
let timer;
let frame = 0;

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

function wipe() {
  if (terminal && running.size > 0) process.stderr.write('\r\u001b[K');
}

function draw() {
  if (!terminal || running.size === 0) return;
  const steps = [...running].map(([label, since]) => `${label} (${seconds(since)})`).join(' · ');
  const room = (process.stderr.columns ?? 80) - 4;
  process.stderr.write(`\r\u001b[K${FRAMES[frame++ % FRAMES.length]} ${steps.slice(0, room)}`);
}

function beat() {
  if (terminal) return draw();
  for (const [label, since] of running) say(`  … ${label}, ${seconds(since)} so far`);
}

export function say(line) {
  wipe();
  process.stderr.write(`${line}\n`);
  draw();
}

/**
 * Runs `work` under a label: a spinner on a terminal, elsewhere a line now and then; at its end the time it took.
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(label, work) {
  const since = Date.now();
  running.set(label, since);
  timer ??= setInterval(beat, terminal ? 120 : HEARTBEAT_MS).unref();
  try {
    const result = await work();
    finish(label, `✓ ${label} (${seconds(since)})`);
    return result;
  } catch (error) {
    finish(label, `✗ ${label} (${seconds(since)})`);
    throw error;
  }
}

function finish(label, line) {
  wipe();
  running.delete(label);
  say(line);
  if (running.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
