import { readArguments } from './cli.ts';
import { startSimulator } from './simulator.ts';

try {
  const simulator = await startSimulator(readArguments(process.argv.slice(2)));
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void simulator.close().then(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  // A parent that died closes the channel: nobody is left to end this process.
  process.on('disconnect', stop);
  const { fcmUrl: fcm, controlUrl: control, caPath: ca, credentialsPath: credentials, project } = simulator;
  const ready = { ready: true, fcm, control, ca, credentials, project };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready, undefined, undefined, (error) => {
    if (error !== null) stop();
  });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`fcm-simulator: ${message}\n`);
  process.exitCode = 1;
}
