import { randomBytes, randomUUID } from 'node:crypto';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import type { OfficerActor } from '#access';
import { DispatchModule } from '#dispatch';
import { PlatformModule } from '#platform';
import type { Lease } from '../../libs/dispatch/src/batch.types.ts';
import { Ledger } from '../../libs/dispatch/src/ledger.service.ts';
import { WaveRepository } from '../../libs/dispatch/src/wave.repository.ts';
import { createTestDatabase } from './database.ts';
import { emptyRedis, testEnv } from './env.ts';
import { makeActor, makeDevices, seedAgency, SHENZHEN } from './fixtures.ts';

const TEXTS = { 'zh-CN': { title: '寻人', body: '七岁。' }, en: { title: 'Missing', body: 'Seven.' } };

export interface QuietAlert {
  readonly alertId: string;
  /** Devices, in the order of the batches. */
  readonly phones: readonly number[];
  readonly batchIds: readonly number[];
}

/** A ledger that no worker works on: a test does every step itself. */
export class QuietLedger {
  private constructor(
    readonly app: INestApplicationContext,
    readonly agencyId: string,
    readonly verifier: OfficerActor,
    readonly databaseUrl: string,
    readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<QuietLedger> {
    const database = await createTestDatabase();
    await emptyRedis();
    @Module({ imports: [PlatformModule.forRoot(testEnv(database.url), 'worker'), DispatchModule] })
    class Officers {}
    const app = await NestFactory.createApplicationContext(Officers, { logger: false, abortOnError: false });
    const source = app.get(DataSource);
    const agencyId = await seedAgency(source);
    const verifier = await makeActor(source, agencyId, 'verifier');
    return new QuietLedger(app, agencyId, verifier, database.url, async () => {
      await app.close();
      await database.drop();
    });
  }

  get source(): DataSource {
    return this.app.get(DataSource);
  }

  /** Claims a batch as a worker would that has its newest job. */
  async claim(batchId: number): Promise<Lease | null> {
    const [{ epoch }] = await this.source.query<[{ epoch: number }]>('SELECT epoch FROM batches WHERE id = $1', [
      batchId,
    ]);
    return this.app.get(Ledger).claim(batchId, epoch);
  }

  /** The batch's worker dies, and is found out. */
  async lose(batchId: number): Promise<void> {
    await this.source.query(
      `UPDATE batches SET lease_until = now() - interval '1 second' WHERE id = $1 AND state = 'leased'`,
      [batchId],
    );
    await this.app.get(Ledger).reclaim();
  }

  /** A live alert whose one ring has batches of these sizes, none sent. */
  async seed(sizes: readonly number[], tier: 'critical' | 'serious' = 'critical'): Promise<QuietAlert> {
    const { source } = this;
    const places = Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, () => SHENZHEN);
    const phones = (await makeDevices(source, places)).map(({ id }) => id);
    const alertId = randomUUID();
    await source.query(
      `INSERT INTO alerts (id, slug, agency_id, state, mode, tier, area, origin, zone, place, call_number, instruction, hours, released_at, expires_at)
       VALUES ($1, $2, $3, 'live', 'demo', $5, $4, 'POINT(114.06 22.54)', 'Asia/Shanghai', '{}', '110', 'call', 24, now(), now() + interval '1 day')`,
      [
        alertId,
        randomBytes(9).toString('base64url'),
        this.agencyId,
        { kind: 'circle', center: SHENZHEN, radiusM: 1000 },
        tier,
      ],
    );
    const messageId = randomUUID();
    await source.query(`INSERT INTO messages (id, alert_id, version, kind, texts) VALUES ($1, $2, 1, 'alert', $3)`, [
      messageId,
      alertId,
      TEXTS,
    ]);
    const waveId = await source.transaction((tx) =>
      this.app.get(WaveRepository).insert(tx, { alertId, messageId, audience: 'ring' }),
    );
    const batchIds: number[] = [];
    await source.query('UPDATE waves SET targeted = $2 WHERE id = $1', [waveId, places.length]);
    let from = 0;
    for (const [seq, size] of sizes.entries()) {
      const [batch] = await source.query<[{ id: number }]>(
        `WITH batch AS (INSERT INTO batches (wave_id, alert_id, seq, provider, band, size) VALUES ($1, $2, $3, 'fcm', 0, $4) RETURNING id)
         INSERT INTO batch_recipients (batch_id, ids) SELECT id, $5 FROM batch RETURNING batch_id AS id`,
        [waveId, alertId, seq, size, phones.slice(from, (from += size))],
      );
      batchIds.push(batch.id);
    }
    return { alertId, phones, batchIds };
  }
}
