import type { INestApplication } from '@nestjs/common';

/**
 * Listens, tells a parent process that it is ready and where, and closes gracefully on SIGTERM and SIGINT, or when the parent
 * has vanished.
 */
export async function serve(app: INestApplication, port: number, host: string): Promise<void> {
  app.enableShutdownHooks();
  process.once('disconnect', () => void app.close());
  await app.listen(port, host);
  process.send?.({ ready: true, url: await app.getUrl() });
}
