import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { RecipientReferences } from '#dispatch';
import { ForwardLimiter, Forwards, FORWARDS_PER_WINDOW, Receipts, Views } from '#engagement';
import { Keys } from '#platform';
import { EngagementApi } from '../apps/api/src/engagement/engagement.api.ts';
import { endAlert, type SeededAlert, seedAlert } from './harness/alert-rows.ts';
import { call, startApi, type TestApi } from './harness/api.ts';
import { contended } from './harness/contended.ts';
import { createTestDatabase, type TestDatabase } from './harness/database.ts';

interface Link {
  readonly token: string;
  readonly url: string;
  readonly code?: string;
}

const PHONE = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36';

let database: TestDatabase;
let api: TestApi;
let db: DataSource;
let references: RecipientReferences;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi({ databaseUrl: database.url, modules: [EngagementApi], TRUST_PROXY: '1' });
  db = api.app.get(DataSource);
  references = api.app.get(RecipientReferences, { strict: false });
});

afterAll(async () => {
  await api?.close();
  await database?.drop();
});

const firstBatch = ({ batchIds: [id = 0] }: SeededAlert) => id;
const post = <Body = Record<string, unknown>>(path: string, json: unknown) =>
  call<Body>(api.url, 'POST', path, { json });

describe('receipts', () => {
  const rows = (batchId: number) =>
    db.query<{ index: number; kind: string }[]>(
      'SELECT index, kind FROM receipts WHERE batch_id = $1 ORDER BY index, kind',
      [batchId],
    );

  it('records each once, however often and in whatever company it comes', async () => {
    const batchId = firstBatch(await seedAlert(db, { batches: [10] }));
    const items = [
      { ref: references.encode(batchId, 0), kind: 'received' },
      { ref: references.encode(batchId, 1), kind: 'outside' },
      { ref: references.encode(batchId, 0), kind: 'received' },
    ];
    const answers = await Promise.all(Array.from({ length: 8 }, () => post('/v1/receipts', { items })));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).toEqual({ accepted: 3, ignored: 0 });
    }
    expect(await rows(batchId)).toEqual([
      { index: 0, kind: 'received' },
      { index: 1, kind: 'outside' },
    ]);
  });

  it('takes an open for a receipt, too', async () => {
    const batchId = firstBatch(await seedAlert(db, { batches: [10] }));
    await post('/v1/receipts', { items: [{ ref: references.encode(batchId, 7), kind: 'opened' }] });
    expect(await rows(batchId)).toEqual([
      { index: 7, kind: 'opened' },
      { index: 7, kind: 'received' },
    ]);
  });

  it('ignores what is forged, beyond the batch, or gone, and records the rest', async () => {
    const alert = await seedAlert(db, { batches: [10, 10] });
    const [batchId = 0, deleted = 0] = alert.batchIds;
    await db.query('DELETE FROM batches WHERE id = $1', [deleted]);
    const foreignKeys = new RecipientReferences(new Keys({ SECRET_KEY: Buffer.alloc(32, 'other').toString('base64') }));
    const { body } = await post('/v1/receipts', {
      items: [
        { ref: foreignKeys.encode(batchId, 0), kind: 'received' },
        { ref: 'A'.repeat(22), kind: 'received' },
        { ref: references.encode(deleted, 0), kind: 'opened' },
        { ref: references.encode(batchId, 3), kind: 'received' },
      ],
    });
    expect(body).toEqual({ accepted: 1, ignored: 3 });
    expect(await rows(batchId)).toEqual([{ index: 3, kind: 'received' }]);
    await post('/v1/receipts', { items: [{ ref: references.encode(batchId, 10), kind: 'received' }] });
    expect(await rows(batchId)).toHaveLength(1);
  });

  it('settles two reports of the same recipients in opposite orders', async () => {
    const batchId = firstBatch(await seedAlert(db, { batches: [500] }));
    const items = Array.from({ length: 250 }, (_, index) => ({
      ref: references.encode(batchId, index),
      kind: 'opened' as const,
    }));
    const receipts = api.app.get(Receipts, { strict: false });
    const reports = Array.from({ length: 12 }, (_, turn) => receipts.record(turn % 2 ? items : items.toReversed()));
    expect(await Promise.all(reports)).toEqual(Array(12).fill({ accepted: 250, ignored: 0 }));
    expect(await rows(batchId)).toHaveLength(500);
  });

  it.each([
    [{}],
    [{ items: [] }],
    [{ items: [{ ref: 'x', kind: 'lost' }] }],
    [{ items: [{ ref: 'x', kind: 'received', device: 1 }] }],
    [{ items: Array(501).fill({ ref: 'x', kind: 'received' }) }],
  ])('refuses what is not a report: %#', async (json) => {
    const { status, body } = await post('/v1/receipts', json);
    expect([status, body['code']]).toEqual([400, 'invalid_request']);
  });
});

describe('forwards', () => {
  const rootOf = async (alert: SeededAlert, index = 0) =>
    (await post<Link>('/v1/forwards', { ref: references.encode(firstBatch(alert), index) })).body;

  it('gives a recipient one link, however often and at once it asks', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const links = await Promise.all(Array.from({ length: 8 }, () => rootOf(alert)));
    expect(new Set(links.map(({ token }) => token)).size).toBe(1);
    expect(links[0]?.url).toBe(`http://127.0.0.1:3001/a/${alert.slug}?f=${links[0]?.token}`);
    expect((await rootOf(alert, 1)).token).not.toBe(links[0]?.token);
  });

  it('gives links under links so often to one address and no more; a recipient keeps getting its own', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await rootOf(alert);
    const limiter = api.app.get(ForwardLimiter, { strict: false });
    for (let n = 0; n < FORWARDS_PER_WINDOW; n += 1) await limiter.consume('198.51.100.1');
    const ask = (address: string, json: unknown) =>
      call<Link>(api.url, 'POST', '/v1/forwards', { json, headers: { 'x-forwarded-for': address } });
    const refused = await ask('198.51.100.1', { parent: token });
    expect([refused.status, refused.body.code]).toEqual([429, 'too_many_forwards']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask('198.51.100.2', { parent: token })).status).toBe(200);
    expect((await ask('198.51.100.1', { ref: references.encode(firstBatch(alert), 1) })).status).toBe(200);
  });

  it('gives none once its time is over, before anybody has ended it', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    await db.query(`UPDATE alerts SET expires_at = now() - interval '1 second' WHERE id = $1`, [alert.id]);
    expect((await rootOf(alert)).code).toBe('alert_ended');
  });

  it('grows a tree, 16 deep', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    let { token } = await rootOf(alert);
    for (let depth = 1; depth <= 16; depth += 1) {
      const { status, body } = await post<Link>('/v1/forwards', { parent: token });
      expect(status).toBe(200);
      token = body.token;
    }
    const { status, body } = await post<Link>('/v1/forwards', { parent: token });
    expect([status, body.code]).toEqual([429, 'too_many_forwards']);
    const [{ depths }] = await db.query<[{ depths: number[] }]>(
      'SELECT array_agg(depth::int ORDER BY depth) AS depths FROM forwards WHERE alert_id = $1',
      [alert.id],
    );
    expect(depths).toEqual(Array.from({ length: 17 }, (_, depth) => depth));
  });

  it('gives a link 200 children and no more, also to those who ask at once', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await rootOf(alert);
    await db.query(
      `INSERT INTO forwards (alert_id, parent_id, depth)
       SELECT alert_id, id, 1 FROM forwards, generate_series(1, 199) WHERE alert_id = $1`,
      [alert.id],
    );
    const lock = 'SELECT 1 FROM forwards WHERE alert_id = $1 AND depth = 0 FOR UPDATE';
    const answers = await contended(db, lock, alert.id, 3, () =>
      Promise.all(Array.from({ length: 3 }, () => post('/v1/forwards', { parent: token }))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 429, 429]);
  });

  it('refuses what is forged', async () => {
    const batchId = firstBatch(await seedAlert(db, { batches: [10] }));
    for (const json of [
      { ref: 'A'.repeat(22) },
      { ref: references.encode(batchId, 10) },
      { ref: references.encode(2 ** 40, 0) },
      { parent: references.encode(batchId, 0) },
      { parent: '<script>' },
    ]) {
      const { status, body } = await post<Link>('/v1/forwards', json);
      expect([status, body.code]).toEqual([422, 'reference_invalid']);
    }
    for (const json of [{}, { ref: 'x', parent: 'x' }, { parent: 'x'.repeat(65) }]) {
      expect((await post('/v1/forwards', json)).status).toBe(400);
    }
  });

  it('gives none once the search has ended', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await rootOf(alert);
    await endAlert(db, alert);
    for (const json of [{ parent: token }, { ref: references.encode(firstBatch(alert), 0) }]) {
      const { status, body } = await post<Link>('/v1/forwards', json);
      expect([status, body.code]).toEqual([410, 'alert_ended']);
    }
  });

  it('takes a token for its own alert only, where one is named', async () => {
    const { token } = await rootOf(await seedAlert(db, { batches: [10] }));
    const other = await seedAlert(db);
    const forwards = api.app.get(Forwards, { strict: false });
    await expect(forwards.fromForward(token, other.slug)).rejects.toMatchObject({ code: 'reference_invalid' });
  });
});

describe('views', () => {
  it('counts a visitor of a link once a day, keeping a digest and nothing else', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const other = await seedAlert(db, { batches: [10] });
    const forwards = api.app.get(Forwards, { strict: false });
    const { token } = await forwards.fromRecipient(references.encode(firstBatch(alert), 0));
    const views = api.app.get(Views, { strict: false });
    const visit = {
      alertId: alert.id,
      token,
      method: 'GET',
      address: '192.0.2.1',
      userAgent: PHONE,
      purpose: undefined,
    };
    expect(views.count(visit)).toBe(true);
    views.count(visit);
    views.count({ ...visit, address: '192.0.2.2' });
    views.count({ ...visit, userAgent: `${PHONE} MicroMessenger/8.0` });
    expect(views.count({ ...visit, token: 'A'.repeat(22) })).toBe(false);
    expect(views.count({ ...visit, userAgent: 'facebookexternalhit/1.1' })).toBe(false);
    views.count({ ...visit, alertId: other.id, address: '192.0.2.3' });
    await views.onApplicationShutdown();
    const rows = await db.query<{ visitor_digest: Buffer }[]>(
      'SELECT v.visitor_digest FROM views v JOIN forwards f ON f.id = v.forward_id WHERE f.alert_id = ANY ($1)',
      [[alert.id, other.id]],
    );
    expect(rows.map(({ visitor_digest }) => visitor_digest.length)).toEqual([8, 8, 8]);
  });

  it('loses none that come while others are being written', async () => {
    const alert = await seedAlert(db, { batches: [10] });
    const { token } = await api.app
      .get(Forwards, { strict: false })
      .fromRecipient(references.encode(firstBatch(alert), 0));
    const views = api.app.get(Views, { strict: false });
    for (let visitor = 0; visitor < 2000; visitor += 1) {
      const address = `198.51.100.${visitor}`;
      views.count({ alertId: alert.id, token, method: 'GET', address, userAgent: PHONE, purpose: undefined });
      if (visitor % 100 === 0) await new Promise(setImmediate);
    }
    await views.onApplicationShutdown();
    const [{ count }] = await db.query<[{ count: number }]>(
      'SELECT count(*) AS count FROM views v JOIN forwards f ON f.id = v.forward_id WHERE f.alert_id = $1',
      [alert.id],
    );
    expect(count).toBe(2000);
  });
});
