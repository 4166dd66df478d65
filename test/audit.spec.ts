import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { Audit, AuditModule, type AuditRecord } from '#audit';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

describe('audit', () => {
  let database: TestDatabase;
  let app: INestApplicationContext;
  let source: DataSource;
  let audit: Audit;
  let agencyId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const typeorm = TypeOrmModule.forRoot({ type: 'postgres', url: database.url, parseInt8: true });
    app = await NestFactory.createApplicationContext(
      { module: class AuditTest {}, imports: [typeorm, AuditModule] },
      { logger: false },
    );
    source = app.get(DataSource);
    audit = app.get(Audit);
  });

  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  beforeEach(() => {
    agencyId = randomUUID();
  });

  const record = (fields: Partial<AuditRecord> = {}) =>
    source.transaction((tx) =>
      audit.record(tx, { agencyId, actor: 'officer:o', action: 'case.read', thing: 'case:c', ...fields }),
    );

  /** What only a superuser could do: the append-only trigger is out of the way. */
  const forge = (sql: string, parameters: unknown[] = []) =>
    source.transaction(async (tx) => {
      await tx.query('SET LOCAL session_replication_role = replica');
      await tx.query(sql, parameters);
    });

  it('verifies an empty chain and a long one, over its page of a thousand', async () => {
    expect(await audit.verifyChain(agencyId)).toBeNull();
    await source.transaction(async (tx) => {
      for (let i = 0; i < 1001; i++) {
        await audit.record(tx, { agencyId, actor: 'system', action: 'case.read', thing: `case:${i}` });
      }
    });
    expect(await audit.verifyChain(agencyId)).toBeNull();
  });

  it('verifies whatever scalars the detail holds', async () => {
    const text = fc.stringMatching(/^[\w:.+/=-]{1,40}$/);
    const scalar = fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(text, scalar), async (detail) => {
        await record({ detail });
        expect(await audit.verifyChain(agencyId)).toBeNull();
      }),
      { numRuns: 60 },
    );
  });

  const edits = {
    at: `at + interval '1 microsecond'`,
    actor: `'officer:p'`,
    action: `'case.edit'`,
    thing: `'case:d'`,
    detail: `'{"n": 2}'`,
    previous_hash: 'sha256(previous_hash)',
    hash: 'sha256(hash)',
    seq: '7',
    agency_id: 'gen_random_uuid()',
  };

  it.each(Object.entries(edits))('finds an edited %s', async (column, value) => {
    for (let i = 0; i < 3; i++) await record({ detail: { n: 1 } });
    await forge(`UPDATE audit_entries SET ${column} = ${value} WHERE agency_id = $1 AND seq = 2`, [agencyId]);
    expect(await audit.verifyChain(agencyId)).toBe(2);
  });

  it.each([1, 2, 3])('finds entry %d of three deleted', async (seq) => {
    for (let i = 0; i < 3; i++) await record();
    await forge('DELETE FROM audit_entries WHERE agency_id = $1 AND seq = $2', [agencyId, seq]);
    expect(await audit.verifyChain(agencyId)).toBe(seq);
  });

  it('finds an entry moved into another agency with its hash and place', async () => {
    const other = randomUUID();
    await record();
    await record({ agencyId: other });
    await forge('DELETE FROM audit_entries WHERE agency_id = $1', [agencyId]);
    await forge('UPDATE audit_entries SET agency_id = $1 WHERE agency_id = $2', [agencyId, other]);
    expect(await audit.verifyChain(agencyId)).toBe(1);
  });

  it('refuses to change, delete or empty what is recorded', async () => {
    await record();
    for (const sql of ["UPDATE audit_entries SET actor = 'x'", 'DELETE FROM audit_entries', 'TRUNCATE audit_entries']) {
      await expect(source.query(sql)).rejects.toThrow('append-only');
    }
  });

  it('keeps one chain under concurrent records, also on its first entry', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => record({ thing: `case:${i}` })));
    const rows = await source.query<{ seq: number; at: Date }[]>(
      'SELECT seq, at FROM audit_entries WHERE agency_id = $1 ORDER BY at, seq',
      [agencyId],
    );
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(await audit.verifyChain(agencyId)).toBeNull();
  });

  it('leaves nothing of an act that was rolled back', async () => {
    const undone = source.transaction(async (tx) => {
      await audit.record(tx, { agencyId, actor: 'system', action: 'case.read', thing: 'case:c' });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await record();
    expect(await source.query('SELECT seq FROM audit_entries WHERE agency_id = $1', [agencyId])).toEqual([{ seq: 1 }]);
    expect(await audit.verifyChain(agencyId)).toBeNull();
  });

  it('takes no names and no words', async () => {
    for (const stray of ['Zhang Wei', '张伟', 'a\nb', '']) {
      await expect(record({ thing: stray })).rejects.toThrow(TypeError);
      await expect(record({ detail: { note: stray } })).rejects.toThrow(TypeError);
      await expect(record({ detail: { [stray]: 1 } })).rejects.toThrow(TypeError);
    }
    expect(await audit.verifyChain(agencyId)).toBeNull();
  });
});
