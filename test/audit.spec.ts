import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { type Anchor, Audit, AuditModule, type AuditRecord, type AuditReport, AuditVerification } from '#audit';
import { type Env, PlatformModule, RequestContext } from '#platform';
import { run } from '../apps/cli/src/program.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';
import { testEnv } from './harness/env.ts';

describe('audit', () => {
  let database: TestDatabase;
  let env: Env;
  let app: INestApplicationContext;
  let source: DataSource;
  let audit: Audit;
  let folder: string;
  let agencyId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    env = testEnv(database.url);
    app = await NestFactory.createApplicationContext(
      { module: class AuditTest {}, imports: [PlatformModule.forRoot(env, 'test'), AuditModule] },
      { logger: false },
    );
    source = app.get(DataSource);
    audit = app.get(Audit);
    folder = await mkdtemp(join(tmpdir(), 'golden72-audit-'));
  });

  afterAll(async () => {
    await app?.close();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    agencyId = randomUUID();
    await forge('TRUNCATE audit_entries, audit_chains');
  });

  const record = (fields: Partial<AuditRecord> = {}) =>
    source.transaction((tx) =>
      audit.record(tx, { agencyId, actor: 'officer:o', action: 'case.read', thing: 'case:c', ...fields }),
    );

  const inRequest = <Result>(network: string, reason: string | null, work: () => Result) =>
    app.get(RequestContext).run({ network, sessionId: 'c0ffee', reason }, work);

  /** What only a superuser could do: the append-only trigger is out of the way. */
  const forge = (sql: string, parameters: unknown[] = []) =>
    source.transaction(async (tx) => {
      await tx.query('SET LOCAL session_replication_role = replica');
      await tx.query(sql, parameters);
    });

  const faultOf = (agency = agencyId) => app.get(AuditVerification).faultOf(agency);
  const faultAt = async (agency = agencyId) => (await faultOf(agency))?.seq ?? null;

  const golden72 = async (...args: string[]) => {
    const lines: string[] = [];
    const say = (words: string) => void lines.push(words);
    const settings = { NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: database.url, REDIS_URL: env.REDIS_URL };
    const code = await run({ env: settings, out: say, error: say, input: async () => '' }, args);
    return { code, lines };
  };

  interface Row {
    readonly seq: number;
    readonly origin: string | null;
    readonly why: string | null;
  }

  const rows = () =>
    source.query<Row[]>('SELECT seq, origin, why FROM audit_entries WHERE agency_id = $1 ORDER BY seq', [agencyId]);

  it('verifies an empty chain and a long one, over its page of a thousand', async () => {
    expect(await faultOf()).toBeNull();
    await source.transaction(async (tx) => {
      for (let i = 0; i < 1001; i++) {
        await audit.record(tx, { agencyId, actor: 'system', action: 'case.read', thing: `case:${i}` });
      }
    });
    expect(await app.get(AuditVerification).verify()).toEqual({ chains: 1, entries: 1001, faults: [] });
  });

  it('verifies whatever scalars the detail holds', async () => {
    const text = fc.stringMatching(/^[\w:.+/=-]{1,40}$/);
    const scalar = fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(text, scalar), async (detail) => {
        await record({ detail });
        expect(await faultOf()).toBeNull();
      }),
      { numRuns: 60 },
    );
  });

  describe('from where and why', () => {
    it('are the request’s: a digest of its network with its session, and the reason that the officer states', async () => {
      await inRequest('203.0.113.7', 'handover', () => record());
      await inRequest('203.0.113.7', null, () => record());
      await inRequest('198.51.100.1', 'no such reason', () => record({ why: 'author' }));
      await inRequest('198.51.100.1', null, () => record({ actor: 'system:expiry' }));
      const [first, second, third, fourth] = await rows();
      expect(first?.origin).toMatch(/^network:[\w-]{16},session:c0ffee$/);
      expect(second?.origin).toBe(first?.origin);
      expect(third?.origin).not.toBe(first?.origin);
      expect([first, second, third, fourth].map((row) => row?.why)).toEqual(['handover', 'duty', 'author', 'system']);
      expect(JSON.stringify(await source.query('SELECT * FROM audit_entries'))).not.toContain('203.0.113');
    });

    it('of what no request did are nowhere, and the system or a duty', async () => {
      await record({ actor: 'system:retention' });
      await record({ actor: 'command_line' });
      expect(await rows()).toEqual([
        { seq: 1, origin: null, why: 'system' },
        { seq: 2, origin: null, why: 'duty' },
      ]);
    });

    it('do not meet in concurrent requests', async () => {
      const reasons = ['tip', 'review', 'enquiry', 'handover', 'supervision'];
      await Promise.all(reasons.map((reason) => inRequest('203.0.113.7', reason, () => record({ thing: reason }))));
      const found = await source.query<{ thing: string; why: string }[]>('SELECT thing, why FROM audit_entries');
      expect(found).toHaveLength(reasons.length);
      for (const { thing, why } of found) expect(why).toBe(thing);
    });
  });

  describe('finds what a superuser does', () => {
    const edits = {
      at: `at + interval '1 microsecond'`,
      actor: `'officer:p'`,
      action: `'case.edit'`,
      thing: `'case:d'`,
      detail: `'{"n": 2}'`,
      origin: `'network:elsewhere'`,
      why: `'other'`,
      previous_hash: 'sha256(previous_hash)',
      hash: 'sha256(hash)',
      seq: '7',
      agency_id: 'gen_random_uuid()',
    };

    it.each(Object.entries(edits))('an edited %s', async (column, value) => {
      for (let i = 0; i < 3; i++) await record({ detail: { n: 1 } });
      await forge(`UPDATE audit_entries SET ${column} = ${value} WHERE agency_id = $1 AND seq = 2`, [agencyId]);
      expect(await faultAt()).toBe(2);
    });

    it('an entry whose origin was taken away by calling it an older one', async () => {
      for (let i = 0; i < 2; i++) await inRequest('203.0.113.7', null, () => record());
      await forge('UPDATE audit_entries SET version = 1, origin = NULL, why = NULL WHERE agency_id = $1 AND seq = 2', [
        agencyId,
      ]);
      expect(await faultOf()).toEqual({ agencyId, seq: 2, fault: 'edited' });
    });

    it.each([1, 2])('entry %d of three deleted', async (seq) => {
      for (let i = 0; i < 3; i++) await record();
      await forge('DELETE FROM audit_entries WHERE agency_id = $1 AND seq = $2', [agencyId, seq]);
      expect(await faultOf()).toEqual({ agencyId, seq, fault: 'gap' });
    });

    it('a deleted tail, and all of it', async () => {
      for (let i = 0; i < 3; i++) await record();
      await forge('DELETE FROM audit_entries WHERE agency_id = $1 AND seq = 3', [agencyId]);
      expect(await faultOf()).toEqual({ agencyId, seq: 3, fault: 'tail_deleted' });
      await forge('DELETE FROM audit_entries WHERE agency_id = $1', [agencyId]);
      expect(await faultOf()).toEqual({ agencyId, seq: 1, fault: 'tail_deleted' });
    });

    it('an entry moved into another agency with its hash and place', async () => {
      const other = randomUUID();
      await record();
      await record({ agencyId: other });
      await forge('DELETE FROM audit_entries WHERE agency_id = $1', [agencyId]);
      await forge('UPDATE audit_entries SET agency_id = $1 WHERE agency_id = $2', [agencyId, other]);
      const { faults } = await app.get(AuditVerification).verify();
      expect(faults).toHaveLength(2);
      expect(faults).toContainEqual({ agencyId, seq: 1, fault: 'edited' });
      expect(faults).toContainEqual({ agencyId: other, seq: 1, fault: 'tail_deleted' });
    });

    /** Writes an entry as we do, or did before there were seals, hash and head and all; only the seal it cannot make. */
    const forgeTail = async (seal: Buffer | null, version: 1 | 2 = 2) => {
      const [last] = await source.query<[{ seq: number; hash: Buffer }]>(
        'SELECT seq, hash FROM audit_chains WHERE agency_id = $1',
        [agencyId],
      );
      const [seq, at, why] = [last.seq + 1, '2026-01-02T03:04:05.678901', version === 2 ? 'duty' : null];
      const own = [agencyId, seq, at, 'officer:x', 'case.read', 'case:c', []];
      const fields = version === 2 ? [2, ...own, null, why] : own;
      const hash = createHash('sha256').update(last.hash).update(JSON.stringify(fields)).digest();
      await forge(
        `INSERT INTO audit_entries (version, agency_id, seq, at, actor, action, thing, detail, why, previous_hash, hash)
         VALUES ($1, $2, $3, $4::timestamp AT TIME ZONE 'UTC', 'officer:x', 'case.read', 'case:c', '{}', $5, $6, $7)`,
        [version, agencyId, seq, at, why, last.hash, hash],
      );
      const head = [agencyId, seq, hash, seal];
      await forge('UPDATE audit_chains SET seq = $2, hash = $3, seal = $4 WHERE agency_id = $1', head);
    };

    it('a forged tail that claims to be older than seals', async () => {
      await record();
      await forgeTail(null, 1);
      expect(await faultOf()).toEqual({ agencyId, seq: 2, fault: 'edited' });
    });

    it('a forged tail: the database cannot seal it', async () => {
      for (let i = 0; i < 2; i++) await record();
      const [{ seal }] = await source.query<[{ seal: Buffer }]>('SELECT seal FROM audit_chains');
      await forgeTail(seal);
      expect(await faultOf()).toEqual({ agencyId, seq: 3, fault: 'head_forged' });
      for (const made of [Buffer.alloc(32), Buffer.alloc(0)]) {
        await forge('UPDATE audit_chains SET seal = $1', [made]);
        expect(await faultOf()).toEqual({ agencyId, seq: 3, fault: 'head_forged' });
      }
      await forge('UPDATE audit_chains SET seal = NULL');
      expect(await faultOf()).toEqual({ agencyId, seq: 3, fault: 'unsealed' });
    });

    it('a head that is taken away, or names another end', async () => {
      for (let i = 0; i < 2; i++) await record();
      await forge('UPDATE audit_chains SET hash = sha256(hash)');
      expect(await faultOf()).toEqual({ agencyId, seq: 2, fault: 'head_forged' });
      await forge('DELETE FROM audit_chains');
      expect(await app.get(AuditVerification).verify()).toMatchObject({ faults: [{ seq: 1, fault: 'beyond_head' }] });
    });

    it('a chain put back to an earlier state, seal and all, by an anchor kept elsewhere', async () => {
      for (let i = 0; i < 2; i++) await record();
      await source.query('CREATE TABLE kept AS SELECT * FROM audit_chains');
      for (let i = 0; i < 2; i++) await record();
      const anchors: Anchor[] = [];
      for await (const anchor of app.get(AuditVerification).anchors()) anchors.push(anchor);
      expect(anchors).toEqual([{ agencyId, seq: 4, hash: expect.stringMatching(/^[\da-f]{64}$/) }]);
      expect((await app.get(AuditVerification).verify(undefined, anchors)).faults).toEqual([]);
      await forge('DELETE FROM audit_entries WHERE seq > 2');
      await forge('UPDATE audit_chains c SET seq = k.seq, hash = k.hash, seal = k.seal FROM kept k');
      await source.query('DROP TABLE kept');
      expect((await app.get(AuditVerification).verify()).faults).toEqual([]);
      const rolledBack = { agencyId, seq: 3, fault: 'rolled_back' };
      expect((await app.get(AuditVerification).verify(undefined, anchors)).faults).toEqual([rolledBack]);
      // Other entries in their place are as little the anchored ones.
      for (let i = 0; i < 2; i++) await record({ thing: 'case:other' });
      const rewritten = { agencyId, seq: 4, fault: 'rewritten' };
      expect((await app.get(AuditVerification).verify(undefined, anchors)).faults).toEqual([rewritten]);
      await forge('TRUNCATE audit_entries, audit_chains');
      expect((await app.get(AuditVerification).verify(undefined, anchors)).faults).toEqual([{ ...rolledBack, seq: 1 }]);
    });
  });

  it('verifies entries that were written before there were origins, also when newer ones follow', async () => {
    const genesis = Buffer.alloc(32);
    const at = '2026-01-02T03:04:05.678901';
    const detail = [
      ['a', 1],
      ['b', 'x'],
    ];
    const fields = [agencyId, 1, at, 'officer:o', 'case.read', 'case:c', detail];
    const hash = createHash('sha256').update(genesis).update(JSON.stringify(fields)).digest();
    await source.query(
      `INSERT INTO audit_entries (version, agency_id, seq, at, actor, action, thing, detail, previous_hash, hash)
       VALUES (1, $1, 1, $2::timestamp AT TIME ZONE 'UTC', 'officer:o', 'case.read', 'case:c', '{"b":"x","a":1}', $3, $4)`,
      [agencyId, at, genesis, hash],
    );
    await source.query('INSERT INTO audit_chains (agency_id, seq, hash) VALUES ($1, 1, $2)', [agencyId, hash]);
    expect(await faultOf()).toBeNull();
    await record();
    expect(await faultOf()).toBeNull();
    await forge('UPDATE audit_entries SET version = 2, why = $1 WHERE seq = 1', ['duty']);
    expect(await faultOf()).toEqual({ agencyId, seq: 1, fault: 'edited' });
  });

  it('refuses to change, delete or empty what is recorded', async () => {
    await record();
    for (const sql of ["UPDATE audit_entries SET actor = 'x'", 'DELETE FROM audit_entries', 'TRUNCATE audit_entries']) {
      await expect(source.query(sql)).rejects.toThrow('append-only');
    }
  });

  it('keeps one chain under concurrent records, also on its first entry', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => record({ thing: `case:${i}` })));
    const inOrder = await source.query<{ seq: number; at: Date }[]>(
      'SELECT seq, at FROM audit_entries WHERE agency_id = $1 ORDER BY at, seq',
      [agencyId],
    );
    expect(inOrder.map((row) => row.seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(await faultOf()).toBeNull();
  });

  it('leaves nothing of an act that was rolled back', async () => {
    const undone = source.transaction(async (tx) => {
      await audit.record(tx, { agencyId, actor: 'system', action: 'case.read', thing: 'case:c' });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await record();
    expect((await rows()).map(({ seq }) => seq)).toEqual([1]);
    expect(await faultOf()).toBeNull();
  });

  it('takes no names and no words', async () => {
    for (const stray of ['Zhang Wei', '张伟', 'a\nb', '']) {
      await expect(record({ thing: stray })).rejects.toThrow(TypeError);
      await expect(record({ detail: { note: stray } })).rejects.toThrow(TypeError);
      await expect(record({ detail: { [stray]: 1 } })).rejects.toThrow(TypeError);
    }
    expect(await faultOf()).toBeNull();
  });

  describe('on the command line', () => {
    it('`audit verify` is content with sound chains, and names agency and entry of one that is not', async () => {
      const other = randomUUID();
      for (let i = 0; i < 3; i++) await record();
      await record({ agencyId: other });
      expect(await golden72('audit', 'verify')).toEqual({ code: 0, lines: ['2 chains, 4 entries, 0 faults'] });
      await forge(`UPDATE audit_entries SET actor = 'officer:p' WHERE agency_id = $1 AND seq = 2`, [agencyId]);
      const { code, lines } = await golden72('audit', 'verify');
      expect([code, lines[0]]).toEqual([1, `agency ${agencyId}, entry 2: edited`]);
      const told = await golden72('audit', 'verify', '--json');
      const report = JSON.parse(told.lines.join('')) as AuditReport;
      expect([told.code, report.faults]).toEqual([1, [{ agencyId, seq: 2, fault: 'edited' }]]);
      expect((await golden72('audit', 'verify', '--agency', other)).code).toBe(0);
    });

    it('`audit anchor` prints heads that `audit verify --anchors` takes, as it takes a worker’s log', async () => {
      for (let i = 0; i < 2; i++) await record();
      const { lines } = await golden72('audit', 'anchor');
      expect(lines).toHaveLength(1);
      const plain = join(folder, 'anchors');
      await writeFile(plain, lines.join('\n'));
      const log = join(folder, 'log');
      const logged = JSON.stringify({ level: 30, anchor: JSON.parse(lines[0] ?? '') as unknown, msg: 'audit anchor' });
      await writeFile(log, ['not JSON', '{"level":30}', '{', logged, ''].join('\n'));
      const empty = join(folder, 'empty');
      await writeFile(empty, '{"level":30}\n');
      for (const file of [plain, log]) expect((await golden72('audit', 'verify', '--anchors', file)).code).toBe(0);
      await forge('TRUNCATE audit_entries, audit_chains');
      for (const file of [plain, log]) expect((await golden72('audit', 'verify', '--anchors', file)).code).toBe(1);
      for (const file of [empty, join(folder, 'none')]) {
        const { code, lines: said } = await golden72('audit', 'verify', '--anchors', file);
        expect([code, said.join()]).toEqual([1, expect.stringContaining(file)]);
      }
    });

    interface Line {
      readonly version: number;
      readonly agencyId: string;
      readonly seq: number;
      readonly at: string;
      readonly actor: string;
      readonly action: string;
      readonly thing: string;
      readonly detail: Record<string, unknown>;
      readonly origin: string | null;
      readonly why: string | null;
      readonly previousHash: string;
      readonly hash: string;
    }

    it('`audit export` prints what its recipe can check, and only of the time asked for', async () => {
      for (let i = 0; i < 3; i++) {
        await inRequest('203.0.113.7', 'tip', () => record({ detail: { z: i, a: 'x', n: 1.5 } }));
      }
      const { code, lines } = await golden72('audit', 'export', '--agency', agencyId);
      expect([code, lines.length]).toEqual([0, 3]);
      let previous = '0'.repeat(64);
      for (const [index, line] of lines.entries()) {
        const entry = JSON.parse(line) as Line;
        const pairs = Object.keys(entry.detail)
          .sort()
          .map((key) => [key, entry.detail[key]]);
        const own = [entry.agencyId, entry.seq, entry.at, entry.actor, entry.action, entry.thing, pairs];
        const text = JSON.stringify([entry.version, ...own, entry.origin, entry.why]);
        const hash = createHash('sha256').update(Buffer.from(entry.previousHash, 'hex')).update(text).digest('hex');
        expect([entry.seq, entry.previousHash, entry.hash]).toEqual([index + 1, previous, hash]);
        previous = entry.hash;
      }
      const [, second] = lines.map((line) => JSON.parse(line) as Line);
      const [from, to] = [`${second?.at.slice(0, 23)}Z`, '2999-01-01T00:00:00+08:00'];
      const later = await golden72('audit', 'export', '--agency', agencyId, '--from', from, '--to', to);
      expect(later.lines.length).toBeLessThanOrEqual(3);
      expect((await golden72('audit', 'export', '--agency', agencyId, '--from', to)).lines).toEqual([]);
      expect((await golden72('audit', 'export', '--agency', agencyId, '--to', '2020-01-01T00:00:00Z')).lines).toEqual(
        [],
      );
      expect((await golden72('audit', 'export', '--agency', agencyId, '--from', 'yesterday')).code).toBe(2);
    });
  });
});
