import { randomUUID } from 'node:crypto';
import { appendFile, cp, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import type { AuditReport } from '#audit';
import { createWorker } from '../apps/worker/src/create-worker.ts';
import { Retention } from '../apps/worker/src/retention.ts';
import { findTool } from '../apps/cli/src/backup/postgres-tools.ts';
import { drawnPortrait } from './harness/alert-rows.ts';
import { call, startApi, type TestApi } from './harness/api.ts';
import { TestCity } from './harness/city.ts';
import { commandLine } from './harness/command-line.ts';
import { createEmptyDatabase, type TestDatabase } from './harness/database.ts';
import { emptyRedis, redisUrl, simulatorEnv, testEnv } from './harness/env.ts';
import { makeActor, makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';
import { startPublic } from './harness/public.ts';
import { hire } from './harness/staff.ts';
import { until } from './harness/until.ts';

type Released = Awaited<ReturnType<TestCity['release']>>;

const NEAR = makeSubmission({ area: { kind: 'circle', center: SHENZHEN, radiusM: 5_000 } });
/** About as many pushes a second as a small provider's quota: an alert takes seconds, so that the backup falls into its midst. */
const SLOWLY = { PUSH_QUOTA_PER_MINUTE: '60000' };

describe('a backup', () => {
  let city: TestCity;
  let folder: string;
  /** Where it was made. */
  let backups: string;
  let databaseUrl: string;
  /** Its wave is under way when the backup is made. */
  let underWay: Released;
  /** Erased before the backup; and after it, having been live in it. */
  let erased: Released;
  let erasedSince: Released;
  /** Heads of the audit, before the backup and when the database was lost. */
  let anchors: Readonly<Record<'before' | 'last', string>>;
  /** Phones that were asked until then. */
  let asked: number;

  const only = async (dir: string) => {
    const names = await readdir(dir);
    expect(names).toHaveLength(1);
    return join(dir, names[0] ?? '');
  };
  const tables = () => only(backups);
  const vaults = () => `${backups}-vault`;
  const backUp = (...args: string[]) => commandLine(databaseUrl, ['backup', '--to', backups, ...args]);

  const anchorsNow = async (name: string) => {
    const path = join(folder, `${name}.anchors`);
    await writeFile(path, (await commandLine(databaseUrl, ['audit', 'anchor'])).out, { mode: 0o600 });
    return path;
  };

  /** Ends an alert, and lets so much time pass that its case goes. */
  const forget = async ({ alertId, caseId }: Released) => {
    await new LiveAlertTools(city).end(alertId);
    await city.settled(alertId);
    await city.source.query(`UPDATE cases SET closed_at = closed_at - interval '91 days' WHERE id = $1`, [caseId]);
    for (const step of Object.values(city.worker.get(Retention).steps)) await step();
  };

  const withPhoto = async ({ slug, caseId }: Released) => {
    const api = await startApi({ databaseUrl, redisUrl: redisUrl() });
    try {
      const form = new FormData();
      form.set('photo', new Blob([new Uint8Array(await drawnPortrait())]), 'photo.png');
      const words = { json: { words: 'seen at the station' } };
      expect((await call(api.url, 'POST', `/v1/alerts/${slug}/sightings`, words)).status).toBe(201);
      const officer = await hire(api, city.liaison.agencyId, 'liaison');
      const path = `/v1/cases/${caseId}/photos`;
      expect((await call(api.url, 'POST', path, { cookie: officer.cookie, body: form })).status).toBe(201);
    } finally {
      await api.close();
    }
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'golden72-backup-'));
    backups = join(folder, 'backups');
    city = await TestCity.start({ latencyMs: { min: 100, max: 300 }, phones: { openRate: 0 } }, SLOWLY);
    databaseUrl = (city.source.options as { url: string }).url;
    await makeDevices(city.source, scatter(20, SHENZHEN, 2_000));
    erased = await city.release(NEAR);
    await forget(erased);
    erasedSince = await city.release(NEAR);
    await withPhoto(erasedSince);
    await makeDevices(city.source, scatter(3_000, SHENZHEN, 60_000));
    underWay = await city.release();
    await until('some are asked', () => city.simulator.alertStats(underWay.alertId).accepted > 300);

    expect(await commandLine(databaseUrl, ['backup', '--to', join(folder, 'older'), '--vault-only'])).toMatchObject({
      code: 0,
    });
    const before = await anchorsNow('before');
    expect(await backUp()).toMatchObject({ code: 0 });
    expect((await city.books(underWay.alertId, 'ring')).pending).toBeGreaterThan(0);
    await forget(erasedSince);
    expect(await backUp('--vault-only')).toMatchObject({ code: 0 });
    anchors = { before, last: await anchorsNow('last') };
    await city.worker.close();
    asked = city.simulator.alertStats(underWay.alertId).accepted;
  }, 120_000);

  afterAll(async () => {
    await city?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is for its owner alone, with a vault of which the newest is kept', async () => {
    const names = (await readdir(folder, { recursive: true })).map((name) => join(folder, name));
    const modes = await Promise.all(
      names.map(async (name) => [(await stat(name)).isDirectory(), (await stat(name)).mode & 0o077]),
    );
    // The directory that the operator names is theirs; what is made in it is not readable by others.
    expect(modes.filter(([isDirectory]) => !isDirectory)).toEqual(Array(8).fill([false, 0]));
    expect(await readdir(vaults())).toHaveLength(1);
    expect(basename(await tables())).toMatch(/^tables-\d{8}T\d{6}\.\d{3}Z$/);
  });

  it('is refused where pg_dump is too old, or the directory is another deployment’s, and leaves nothing behind', async () => {
    expect(() => findTool('pg_dump', 99, '')).toThrow('postgres_tools_missing');
    const other = await createEmptyDatabase();
    const before = await readdir(folder, { recursive: true });
    try {
      expect((await commandLine(other.url, ['migrate', 'up'])).code).toBe(0);
      const said = await commandLine(other.url, ['--json', 'backup', '--to', backups]);
      expect([said.code, refusal(said.error)]).toEqual([1, 'directory_foreign']);
    } finally {
      await other.drop();
    }
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  describe('that is not to be restored', () => {
    let target: TestDatabase;

    beforeAll(async () => {
      target = await createEmptyDatabase();
    });

    afterAll(() => target?.drop());

    /** Tries it. @returns the code of the refusal; the database is as it was */
    const refused = async (args: readonly string[], into = target.url) => {
      const before = await relations(into);
      const { code, error } = await commandLine(into, ['--json', 'restore', ...args]);
      expect([code, await relations(into)]).toEqual([1, before]);
      return refusal(error);
    };
    const copyOf = async (change: (dump: string) => Promise<void>) => {
      const copy = join(await mkdtemp(join(folder, 'copy-')), basename(await tables()));
      await cp(await tables(), copy, { recursive: true });
      await change(join(copy, 'tables.dump'));
      return ['--from', copy, '--vault', vaults()];
    };

    it('because it is damaged or none', async () => {
      expect(await refused(await copyOf((dump) => truncate(dump, 1_000)))).toBe('backup_damaged');
      expect(await refused(await copyOf((dump) => appendFile(dump, 'more')))).toBe('backup_damaged');
      expect(await refused(await copyOf(flip))).toBe('backup_damaged');
      expect(await refused(await copyOf((dump) => rm(join(dump, '../manifest.json'))))).toBe('backup_missing');
      expect(await refused(['--from', folder])).toBe('backup_missing');
    });

    it('because a newer version wrote it', async () => {
      const newer = await copyOf((dump) => amend(dump, { schema: 'Later1999999999999' }));
      expect(await refused(newer)).toBe('schema_newer');
    });

    it('because of its vault', async () => {
      const from = ['--from', await tables(), '--vault'];
      const foreign = await copyOf((dump) => amend(dump, { deployment: randomUUID() }));
      expect(await refused(foreign)).toBe('vault_foreign');
      expect(await refused([...from, join(folder, 'older-vault')])).toBe('vault_older');
      expect(await refused([...from, folder])).toBe('vault_missing');
    });

    it('because of the database', async () => {
      const from = ['--from', await tables()];
      expect(await refused(from, databaseUrl)).toBe('database_not_empty');
      const somebody = new Client(target.url);
      await somebody.connect();
      expect(await refused(from)).toBe('database_in_use');
      await somebody.end();
    });
  });

  describe('restored', () => {
    let target: TestDatabase;
    let worker: NestFastifyApplication;
    let api: TestApi;
    let db: DataSource;
    let tools: LiveAlertTools;
    let said: Awaited<ReturnType<typeof commandLine>>;
    let restoredCity: TestCity;
    let audited: Record<keyof typeof anchors, readonly string[]>;

    const faults = async (path: string) => {
      const { out } = await commandLine(target.url, ['--json', 'audit', 'verify', '--anchors', path]);
      return (JSON.parse(out) as AuditReport).faults.map(({ fault }) => fault);
    };

    beforeAll(async () => {
      target = await createEmptyDatabase();
      // As where the owner may not make extensions.
      await execute(target.url, 'CREATE EXTENSION postgis');
      await emptyRedis();
      said = await commandLine(target.url, ['--json', 'restore', '--from', await tables()]);
      expect(said).toMatchObject({ code: 0 });
      audited = { before: await faults(anchors.before), last: await faults(anchors.last) };
      worker = await createWorker(testEnv(target.url, simulatorEnv(city.simulator)));
      await worker.init();
      db = worker.get(DataSource);
      const { agencyId } = city.liaison;
      const [liaison, verifier] = [await makeActor(db, agencyId, 'liaison'), await makeActor(db, agencyId, 'verifier')];
      restoredCity = new TestCity(city.simulator, worker, liaison, verifier, async () => {});
      tools = new LiveAlertTools(restoredCity);
      api = await startApi({ databaseUrl: target.url, redisUrl: redisUrl() });
    }, 60_000);

    afterAll(async () => {
      await api?.close();
      await worker?.close();
      await target?.drop();
    });

    it('says what it did, and is not restored twice', async () => {
      expect(JSON.parse(said.out)).toMatchObject({
        erased: '1',
        ending: '1',
        held: '1',
      });
      const again = await commandLine(target.url, ['--json', 'restore', '--from', await tables()]);
      expect([again.code, refusal(again.error)]).toEqual([1, 'database_not_empty']);
    });

    it('leaves erased what was erased, before it and since', async () => {
      await until('ended', async () => (await tools.row(erasedSince.alertId)).state === 'ended');
      await restoredCity.settled(erasedSince.alertId);
      for (const step of Object.values(worker.get(Retention).steps)) await step();
      const pages = await startPublic(target.url, { REDIS_URL: redisUrl() });
      const officer = await hire(api, city.liaison.agencyId, 'verifier');
      try {
        for (const { caseId, slug } of [erased, erasedSince]) {
          const [kept] = await db.query<[object]>(
            `SELECT sealed IS NULL AS emptied, (SELECT count(*) FROM case_photos WHERE case_id = $1) AS photos,
               (SELECT count(*) FROM sightings WHERE case_id = $1 AND sealed IS NOT NULL) AS tips FROM cases WHERE id = $1`,
            [caseId],
          );
          expect(kept).toEqual({ emptied: true, photos: 0, tips: 0 });
          expect((await officer.ask('GET', `/v1/cases/${caseId}`)).status).toBe(410);
          expect((await fetch(`${pages.url}/a/${slug}`)).status).toBe(410);
        }
        expect((await officer.ask('GET', `/v1/cases/${underWay.caseId}`)).status).toBe(200);
      } finally {
        await pages.close();
      }
    }, 60_000);

    it('has an audit that is sound, and goes on where the backup was made', () => {
      expect(audited).toEqual({ before: [], last: ['rolled_back'] });
    });

    it('sends nothing of what was live until two officers resume it, and then every phone is asked and told', async () => {
      const { alertId, targeted } = underWay;
      expect(await tools.row(alertId)).toMatchObject({ state: 'live', heldReason: 'restored' });
      expect((await restoredCity.books(alertId, 'ring')).pending).toBeGreaterThan(0);
      // The worker has told another alert's ending meanwhile.
      expect(city.simulator.alertStats(erasedSince.alertId).byKind.expire?.accepted).toBeGreaterThan(0);
      expect(city.simulator.alertStats(alertId).accepted).toBe(asked);
      await tools.change(alertId, { kind: 'resume' });
      await restoredCity.settled(alertId, 30_000);
      const books = await restoredCity.books(alertId, 'ring');
      expect(books).toMatchObject({ size: targeted, pending: 0, accepted: targeted });
      expect(city.simulator.alertStats(alertId).byKind.alert).toMatchObject({ distinctTokens: targeted });
      await tools.end(alertId);
      await restoredCity.settled(alertId, 30_000);
      expect(await restoredCity.books(alertId, 'notified')).toMatchObject({ size: targeted, accepted: targeted });
    }, 90_000);
  });
});

/** The code that `--json` prints last. */
function refusal(error: string): string {
  const last = error.split('\n').at(-1) ?? '';
  return (JSON.parse(last) as { error: { code: string } }).error.code;
}

/** Rewrites the manifest of a dump. */
async function amend(dump: string, change: object): Promise<void> {
  const path = join(dump, '../manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...manifest, ...change }));
}

/** Changes one byte in the middle. */
async function flip(path: string): Promise<void> {
  const file = await open(path, 'r+');
  const at = Math.floor((await file.stat()).size / 2);
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await file.close();
}

/** How many things stand in a database. */
async function relations(url: string): Promise<number> {
  const [row] = await execute<{ found: number }>(url, 'SELECT count(*)::int AS found FROM pg_class');
  return row?.found ?? 0;
}

async function execute<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
