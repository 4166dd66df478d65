import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { startSimulator, type Simulator } from '../apps/fcm-simulator/src/simulator.ts';
import { Deployment } from './harness/deployment.ts';
import { Officer } from './harness/officer.ts';
import { call, makeAgency, makeOfficer, signIn, startApi, type TestApi } from './harness/api.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { redisUrl, simulatorEnv } from './harness/env.ts';
import { makeDevices, scatter, SHENZHEN } from './harness/fixtures.ts';
import { type ReceivedSpan, startTraceReceiver, type TraceReceiver } from './harness/trace-receiver.ts';
import { until } from './harness/until.ts';

const DEVICES = 60;
const VERIFY = 'POST /v1/cases/:id/verify';

describe('a trace', () => {
  let dir: string;
  let database: TestDatabase;
  let receiver: TraceReceiver;
  let simulator: Simulator;
  let deployment: Deployment;
  let api: TestApi;
  let liaison: Officer;
  /** The cookie of whoever approves. */
  let verifier: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'golden72-tracing-'));
    database = await createTestDatabase();
    receiver = await startTraceReceiver();
    simulator = await startSimulator({ dir, settings: { phones: { receiveRate: 0 } } });
    const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
    api = await startApi({ databaseUrl: database.url, ...tracing });
    deployment = new Deployment(process.cwd(), dir, new AbortController().signal);
    const settings = { DATABASE_URL: database.url, REDIS_URL: redisUrl(), WORKER_PORT: '0', PUSH_RAMP_SECONDS: '0' };
    await deployment.start('worker', 'dist/apps/worker/src/main.js', {
      ...{ ...settings, ...simulatorEnv(simulator), ...tracing },
    });
    const agencyId = await makeAgency(api.app);
    liaison = await Officer.signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['liaison'] }));
    verifier = await signIn(api.url, await makeOfficer(api.app, { agencyId, roles: ['verifier'] }));
    await makeDevices(api.app.get(DataSource), scatter(DEVICES, SHENZHEN, 900));
  }, 90_000);

  afterAll(async () => {
    await deployment?.stop();
    await api?.close();
    await simulator?.close();
    await receiver?.close();
    await database?.drop();
    await rm(dir, { recursive: true, force: true });
  });

  /** @returns the alert's id */
  const approve = async (headers: Record<string, string> = {}): Promise<string> => {
    const { caseId, version } = await liaison.file(SHENZHEN, 5_000);
    const { status, body } = await call<{ alertId: string }>(api.url, 'POST', `/v1/cases/${caseId}/verify`, {
      ...{ cookie: verifier, json: { version }, headers },
    });
    expect(status).toBe(200);
    return body.alertId;
  };

  const named = (name: string, traceId?: string): ReceivedSpan[] =>
    receiver.spans.filter((span) => span.name === name && (traceId === undefined || span.traceId === traceId));

  /** From a span up to the beginning of its trace. */
  const wayOf = (span: ReceivedSpan): string[] => {
    const above = receiver.spans.find(({ spanId }) => spanId === span.parentSpanId);
    return [`${span.service.replace('golden72-', '')} ${span.name}`, ...(above ? wayOf(above) : [])];
  };

  it('leads from the approval to the pushes that the provider accepted', async () => {
    const alertId = await approve();
    const settled = await until('the batch is told', () =>
      named('batch').find((span) => span.attributes['alertId'] === alertId),
    );
    expect(simulator.alertStats(alertId).accepted).toBe(DEVICES);
    expect(settled.attributes).toMatchObject({ accepted: DEVICES, end: 'settled', attempt: 1, band: 0 });
    const root = await until('the request is told', () => named(VERIFY, settled.traceId)[0]);
    expect(root).toMatchObject({ service: 'golden72-api', parentSpanId: undefined, failed: false });
    expect(root.attributes).toEqual({
      ...{ 'http.request.method': 'POST', 'http.route': '/v1/cases/:id/verify', 'http.response.status_code': 200 },
    });
    const way = ['worker batch', 'api release', `api ${VERIFY}`];
    for (const part of ['claim', 'pace', 'push', 'settle']) {
      const span = await until(part, () => named(part, settled.traceId)[0]);
      expect(wayOf(span)).toEqual([`worker ${part}`, ...way]);
    }
    expect(named('push', settled.traceId).map(({ attributes }) => attributes)).toEqual([{ messages: DEVICES }]);
    const fed = await until('feeding is told', () => named('feed', settled.traceId)[0]);
    expect(wayOf(fed)).toEqual(['worker feed', ...way.slice(1)]);
    expect(named('outbox.relay', settled.traceId)).not.toEqual([]);
  });

  it('holds ids and counts, and nothing of a case, an officer or a phone', () => {
    const said = receiver.bodies.join('\n');
    for (const secret of ['小满', 'sim:', '114.0', 'Xiaoman', verifier.split('=')[1] as string]) {
      expect(said).not.toContain(secret);
    }
  });

  it('begins with us, whatever a caller says', async () => {
    const traceId = 'c0ffee'.padEnd(32, '0');
    const alertId = await approve({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    await until('the batch is told', () => named('batch').find((span) => span.attributes['alertId'] === alertId));
    expect(receiver.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });
});
