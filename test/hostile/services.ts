import 'reflect-metadata';
import { randomBytes, randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { AccessModule, Agencies, AgencyKeys, Officers, Reviews, type Role } from '#access';
import { AuditModule } from '#audit';
import { RecipientReferences } from '#dispatch';
import { Keys, PlatformModule, readEnv, Transactions } from '#platform';

export interface Login {
  readonly id: string;
  readonly login: string;
  readonly password: string;
}

/** The command line's powers over a deployment: it makes the first agencies and officers, and can look into the ledger. */
export class Services {
  readonly db: DataSource;
  private readonly context: INestApplicationContext;

  private constructor(context: INestApplicationContext) {
    this.context = context;
    this.db = context.get(DataSource);
  }

  /** @param env what the deployment's own processes were started with */
  static async open(env: NodeJS.ProcessEnv): Promise<Services> {
    const imports = [
      PlatformModule.forRoot(readEnv({ ...env, DATABASE_POOL: '2' }), 'hostile'),
      AccessModule,
      AuditModule,
    ];
    const context = await NestFactory.createApplicationContext(
      { module: class Hostile {}, imports },
      { logger: false, abortOnError: false },
    );
    return new Services(context);
  }

  close(): Promise<void> {
    return this.context.close();
  }

  /** An agency whose jurisdiction is a square of `reachDeg` around a place. @returns its id */
  async agency(name: string, [lon, lat]: readonly [number, number], parentId?: string, reachDeg = 1): Promise<string> {
    const [w, e, s, n] = [lon - reachDeg, lon + reachDeg, lat - reachDeg, lat + reachDeg] as const;
    const ring = [
      [w, s],
      [e, s],
      [e, n],
      [w, n],
      [w, s],
    ];
    const jurisdiction = { type: 'Polygon' as const, coordinates: [ring] };
    const draft = { name: `${name} ${randomUUID()}`, jurisdiction, zone: 'Asia/Shanghai', callNumber: '110', parentId };
    return this.run((tx) => this.context.get(Agencies, { strict: false }).create(tx, draft));
  }

  async officer(agencyId: string, roles: readonly Role[], name: string): Promise<Login> {
    const login = `officer-${randomUUID()}`;
    const password = randomBytes(18).toString('base64url');
    const id = await this.run((tx) =>
      this.context.get(Officers, { strict: false }).create(tx, { agencyId, login, name, roles, password }),
    );
    return { id, login, password };
  }

  /** @returns the key's id and its secret. */
  key(agencyId: string): Promise<{ id: string; secret: string }> {
    return this.run((tx) => this.context.get(AgencyKeys, { strict: false }).create(tx, agencyId, 'hostile'));
  }

  async revokeKey(id: string): Promise<void> {
    await this.run((tx) => this.context.get(AgencyKeys, { strict: false }).revoke(tx, id));
  }

  /** An act that an officer did alone, listed for review. @returns the review's id */
  review(agencyId: string, officerId: string): Promise<string> {
    const act = { agencyId, officerId, act: 'alert.hold', thing: `alert:${randomUUID()}` };
    return this.run((tx) => this.context.get(Reviews, { strict: false }).add(tx, act));
  }

  /** Shuts an officer out as a colleague would, at once. */
  async freeze(officerId: string): Promise<void> {
    await this.run((tx) => this.context.get(Officers, { strict: false }).freeze(tx, officerId));
  }

  async expireSessions(officerId: string): Promise<void> {
    await this.db.query(`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE officer_id = $1`, [
      officerId,
    ]);
  }

  /** As if the officer had shown who they are too long ago for an act that reaches more people. */
  async ageStepUp(officerId: string): Promise<void> {
    await this.db.query(`UPDATE sessions SET stepped_up_at = now() - interval '1 hour' WHERE officer_id = $1`, [
      officerId,
    ]);
  }

  /** The reference that the push to an alert's first recipient carries, or null when nobody was asked. */
  async reference(alertId: string): Promise<string | null> {
    const [batch] = await this.db.query<{ id: number }[]>(
      'SELECT id FROM batches WHERE alert_id = $1 ORDER BY id LIMIT 1',
      [alertId],
    );
    return batch ? new RecipientReferences(this.context.get(Keys)).encode(Number(batch.id), 0) : null;
  }

  private run<Result>(work: (tx: EntityManager) => Promise<Result>): Promise<Result> {
    return this.context.get(Transactions).run(({ tx }) => work(tx));
  }
}
