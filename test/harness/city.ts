import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DataSource } from 'typeorm';
import type { OfficerActor } from '#access';
import { Cases } from '#cases';
import { Alerts, Release, type Released, submissionVersion } from '#dispatch';
import { startSimulator, type Simulator } from '../../apps/fcm-simulator/src/simulator.ts';
import { createWorker } from '../../apps/worker/src/create-worker.ts';
import { createTestDatabase } from './database.ts';
import { emptyRedis, simulatorEnv, testEnv } from './env.ts';
import { makeActor, seedAgency, makeSubmission } from './fixtures.ts';
import { until } from './until.ts';

/** Sums of the ledger's results over the batches of one alert and audience. */
export type LedgerBooks = Readonly<
  Record<
    'size' | 'accepted' | 'unregistered' | 'rejected' | 'expired' | 'stopped' | 'unknown' | 'pending' | 'attempts',
    number
  >
>;

/** A simulator, a worker and an agency with two officers: all that an alert needs below the api. */
export class TestCity {
  constructor(
    readonly simulator: Simulator,
    readonly worker: NestFastifyApplication,
    readonly liaison: OfficerActor,
    readonly verifier: OfficerActor,
    readonly close: () => Promise<void>,
  ) {}

  static async start(
    settings: Parameters<typeof startSimulator>[0]['settings'] = {},
    env: Record<string, string> = {},
  ): Promise<TestCity> {
    const dir = await mkdtemp(join(tmpdir(), 'golden72-city-'));
    const database = await createTestDatabase();
    await emptyRedis();
    const simulator = await startSimulator({ dir, settings });
    const worker = await createWorker(testEnv(database.url, { ...simulatorEnv(simulator), ...env }));
    await worker.init();
    const source = worker.get(DataSource);
    const agencyId = await seedAgency(source);
    const officers = [
      await makeActor(source, agencyId, 'liaison'),
      await makeActor(source, agencyId, 'verifier'),
    ] as const;
    return new TestCity(simulator, worker, ...officers, async () => {
      await worker.close();
      await simulator.close();
      await database.drop();
      await rm(dir, { recursive: true, force: true });
    });
  }

  get source(): DataSource {
    return this.worker.get(DataSource);
  }

  /** Files and submits a case. @returns its id */
  async submit(submission = makeSubmission()): Promise<string> {
    const id = await this.worker.get(Release).file(this.liaison, submission);
    await this.worker.get(Release).submit(this.liaison, id);
    return id;
  }

  /** What a verifier would read as the case's version now. */
  async versionOf(caseId: string): Promise<string> {
    const { found, photos } = await this.worker.get(Cases).read(this.verifier, caseId);
    const proposed = await this.worker.get(Alerts).ofCase(caseId);
    return submissionVersion(found, photos, proposed?.alert ?? null, proposed?.message ?? null);
  }

  /** Submits and verifies a case. */
  async release(submission = makeSubmission()): Promise<Released & { readonly caseId: string }> {
    const caseId = await this.submit(submission);
    const released = await this.worker.get(Release).verify(this.verifier, caseId, await this.versionOf(caseId));
    if (!released) throw new Error('the case has no alert');
    return { ...released, caseId };
  }

  async books(alertId: string, audience: 'ring' | 'notified'): Promise<LedgerBooks> {
    const columns = ['size', 'accepted', 'unregistered', 'rejected', 'expired', 'stopped', 'unknown', 'pending'];
    const sums = columns.map((name) => `coalesce(sum(b.${name}), 0)::int AS ${name}`).join(', ');
    const [row] = await this.source.query<[LedgerBooks]>(
      `SELECT ${sums}, coalesce(max(b.attempt), 0)::int AS attempts
       FROM batches b JOIN waves w ON w.id = b.wave_id WHERE b.alert_id = $1 AND w.audience = $2`,
      [alertId, audience],
    );
    return row;
  }

  /** Waits until every wave of the alert is settled. */
  async settled(alertId: string, withinMs?: number): Promise<void> {
    await until(
      'every wave settled',
      async () => {
        const [row] = await this.source.query<[{ open: number }]>(
          'SELECT count(*) AS open FROM waves WHERE alert_id = $1 AND settled_at IS NULL',
          [alertId],
        );
        return row.open === 0;
      },
      withinMs,
    );
  }
}
