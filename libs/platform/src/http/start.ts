/** Runs a process's start; what keeps it from starting is told in one line, without a stack, and ends it. */
export async function start(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}
