import { type INestApplication, Logger } from '@nestjs/common';
import { drainMs, ENV, type Env } from '../env.ts';

/** Once drained, work under way ends within seconds; what takes longer is a server that does not answer. Orchestrators kill after 30 s. */
const GRACE_MS = 15_000;

/**
 * Listens, tells a parent process that it is ready and where, and closes gracefully on SIGTERM and SIGINT, or when the parent
 * has vanished. A close that hangs is cut off: nothing acknowledged depends on it.
 */
export async function serve(app: INestApplication, port: number, host: string): Promise<void> {
  app.enableShutdownHooks([], { useProcessExit: true });
  const cutOffMs = drainMs(app.get<Env>(ENV)) + GRACE_MS;
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(signal, () => cutOffLater(cutOffMs));
  process.once('disconnect', () => void app.close());
  await app.listen(port, host);
  process.send?.({ ready: true, url: await app.getUrl() });
}

function cutOffLater(ms: number): void {
  const cutOff = () => {
    new Logger('serve').error('the process did not close in time and is cut off');
    process.exit(1);
  };
  setTimeout(cutOff, ms).unref();
}
