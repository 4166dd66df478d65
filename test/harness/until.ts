/** Waits until `condition` gives something true, asking again and again; fails with `what` after `withinMs`. */
export async function until<Value>(
  what: string,
  condition: () => Promise<Value> | Value,
  withinMs = 15_000,
): Promise<NonNullable<Value>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
