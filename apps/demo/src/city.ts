import { createServer } from 'node:net';
import { join } from 'node:path';
import type { DatabaseUrls } from './database-logins.ts';
import type { Processes } from './processes.ts';
import type { SimulatorReady } from './simulator.ts';

/** Addresses that are the same every night, unless somebody else has the port. */
const PORTS = { api: 7272, public: 7273 };
/** Share of registered tokens that turn out dead. */
const UNREGISTERED_RATE = 0.02;

/** How people behave tonight: quick enough to watch, in shares that the field has seen. */
const PHONES = {
  deliveryMs: { min: 20, max: 800 },
  openMs: { min: 200, max: 2500 },
  forwardMs: { min: 100, max: 1200 },
  viewMs: { min: 100, max: 1500 },
  sightingMs: { min: 500, max: 3000 },
};

export interface City {
  readonly api: string;
  readonly publicPage: string;
  readonly simulator: SimulatorReady;
}

/** Starts simulator, api, public page and worker as processes of their own, all at one quota in messages a minute. */
export async function startCity(
  processes: Processes,
  env: Readonly<Record<string, string>>,
  local: string,
  quotaPerMinute: number,
  logins: DatabaseUrls | null,
): Promise<City> {
  const [apiPort, publicPort] = [await freePort(PORTS.api), await freePort(PORTS.public)];
  const [api, publicPage] = [`http://127.0.0.1:${apiPort}`, `http://127.0.0.1:${publicPort}`];
  const shared = {
    ...env,
    PORT: String(apiPort),
    PUBLIC_PORT: String(publicPort),
    WORKER_PORT: '0',
    PUBLIC_URL: publicPage,
    PUSH_QUOTA_PER_MINUTE: String(quotaPerMinute),
    PUSH_RAMP_SECONDS: '4',
    // People have addresses of their own, as the simulator tells in the place of a proxy.
    TRUST_PROXY: 'true',
  };
  const as = (process: keyof DatabaseUrls) => ({ ...shared, ...(logins && { DATABASE_URL: logins[process] }) });
  const dist = (app: string) => join(import.meta.dirname, '..', '..', app, 'src', 'main.js');
  const [simulator] = await Promise.all([
    processes.start<SimulatorReady>(
      'simulator',
      dist('fcm-simulator'),
      simulatorArguments(local, api, quotaPerMinute),
      {},
    ),
    processes.start('api', dist('api'), [], as('api')),
    processes.start('public', dist('public'), [], as('public')),
  ]);
  await processes.start('worker', dist('worker'), [], {
    ...as('worker'),
    FCM_ENDPOINT: simulator.fcm,
    FCM_CA: simulator.ca,
    FCM_PROJECT_ID: simulator.project,
    GOOGLE_APPLICATION_CREDENTIALS: simulator.credentials,
  });
  return { api, publicPage, simulator };
}

function simulatorArguments(local: string, api: string, quotaPerMinute: number): string[] {
  return [
    ...['--dir', join(local, 'simulator'), '--api-url', api, '--quota-per-minute', String(quotaPerMinute)],
    ...['--latency', '5,60', '--unregistered-rate', String(UNREGISTERED_RATE), '--sightings', '4'],
    ...['--settings', JSON.stringify({ phones: PHONES })],
  ];
}

/** The preferred port when it is free, else one that the system chooses. */
async function freePort(preferred: number): Promise<number> {
  return (await listens(preferred)) ?? (await listens(0)) ?? 0;
}

function listens(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}
