import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { Client } from 'pg';
import { cpuSeconds, type Deployment, type Process } from '../../test/harness/deployment.ts';
import type { Burst, HerdOrder, HerdReport } from '../page-herd.ts';
import type { Bench, Findings, Part, Row } from '../part.ts';
import type { BarePage } from '../peers/bare-page.ts';
import { alternate, ratioOf, type Sample } from '../rounds.ts';

/** What a phone's browser sends. */
const PHONE = {
  'user-agent': 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36',
  accept: 'text/html,application/xhtml+xml',
  'accept-language': 'zh-CN,zh;q=0.9',
  'accept-encoding': 'gzip, deflate, br',
};
const CONNECTIONS = 64;
/**
 * Many short bursts: what others take of the machine changes from second to second, so that even two of the same program differ by a
 * tenth after nine turns of a second.
 */
const ROUNDS = { tiny: 1, small: 48, full: 160 } as const;
const WARM_UP = 10;
const SECONDS = 0.25;
const TARGET = 0.8;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The public process serving one page to the herd that follows a push, and a bare Fastify that sends the same bytes. */
export const page: Part = {
  name: 'page',
  async run(bench) {
    const databaseUrl = await bench.database('page');
    const slug = await putUp(databaseUrl);
    const deployment = bench.deployment();
    const ours = await deployment.start<{ url: string }>('public', 'dist/apps/public/src/main.js', {
      ...{ DATABASE_URL: databaseUrl, REDIS_URL: bench.redisUrl, PUBLIC_PORT: '0', RATE_LIMIT_FACTOR: '1000' },
    });
    try {
      const path = `/a/${slug}`;
      const answer = await get(ours.ready.url, path);
      await demandRight(ours.ready.url, path, answer);
      const bare = await startBare(deployment, bench, answer);
      return await compare(bench, deployment, databaseUrl, { ours, bare }, path, answer.body.length);
    } finally {
      await deployment.stop();
    }
  },
};

async function compare(
  bench: Bench,
  deployment: Deployment,
  databaseUrl: string,
  sides: Readonly<Record<'ours' | 'bare', Process<{ url: string }>>>,
  path: string,
  bytes: number,
): Promise<Findings> {
  const began = performance.now();
  const readsBefore = await readsOf(databaseUrl);
  const cpu = { ours: 0, bare: 0 };
  const answers = { ours: 0, bare: 0 };
  const contender = async (side: 'ours' | 'bare') => {
    const { pid, ready } = sides[side];
    const order: HerdOrder = { url: `${ready.url}${path}`, headers: PHONE, connections: CONNECTIONS, status: 200 };
    const herd = await deployment.start('herd', 'bench/page-herd.ts', {}, [JSON.stringify(order)]);
    return async (round: number) => {
      const cpuBefore = cpuSeconds(pid);
      const report = await herd.ask<HerdReport>({ seconds: SECONDS } satisfies Burst);
      if (round >= 0) {
        cpu[side] += cpuSeconds(pid) - cpuBefore;
        answers[side] += report.answers;
      }
      return report.answers / report.seconds;
    };
  };
  const found = await alternate(
    { ours: await contender('ours'), bare: await contender('bare') },
    { rounds: ROUNDS[bench.size], warmUp: WARM_UP, stop: bench.stop },
  );
  const micros = { ours: (cpu.ours / answers.ours) * 1e6, bare: (cpu.bare / answers.bare) * 1e6 };
  const vsBare = ratioOf(found.ours, found.bare);
  const vsBareCpu = micros.bare / micros.ours;
  const reads = (await readsOf(databaseUrl)) - readsBefore;
  const readSeconds = (performance.now() - began) / 1000;
  const mayRead = Math.ceil(readSeconds);
  const what = `an alert's page, ${bytes} B of Brotli`;
  const rows: Row[] = [
    { what, contender: 'Golden72', ...perSecond(found.ours) },
    {
      ...{ what, contender: 'bare Fastify, the same bytes', ...perSecond(found.bare) },
      ...{ ratio: `${vsBare.toFixed(2)}× (≥ ${TARGET}×)`, reached: vsBare >= TARGET },
    },
    { what: '… CPU of the server for an answer', contender: 'Golden72', measured: `${micros.ours.toFixed(1)} µs` },
    {
      ...{ what: '… CPU of the server for an answer', contender: 'bare Fastify, the same bytes' },
      ...{ measured: `${micros.bare.toFixed(1)} µs`, ratio: `${vsBareCpu.toFixed(2)}×` },
    },
    {
      ...{ what: '… reads of the alert from the database', contender: 'Golden72' },
      ...{ measured: `${reads} in ${Math.round(readSeconds)} s`, ratio: `(≤ ${mayRead})`, reached: reads <= mayRead },
    },
  ];
  return {
    rows,
    figures: { page: { vsBare, vsBareCpu, perSecond: found.ours.median, reads, readSeconds } },
  };
}

const perSecond = ({ median, lowest, highest }: Sample) => ({
  measured: `${thousands(median)}/s`,
  spread: `${thousands(lowest)} – ${thousands(highest)}/s`,
});

const thousands = (n: number) => Math.round(n).toLocaleString('en').replaceAll(',', ' ');

/** A live alert as the page shows it. @returns its slug */
async function putUp(databaseUrl: string): Promise<string> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const [agencyId, alertId, slug] = [randomUUID(), randomUUID(), randomBytes(9).toString('base64url')];
  try {
    await client.query(
      `INSERT INTO agencies (id, name, jurisdiction, zone, call_number)
       VALUES ($1, 'Benchmark', ST_Multi(ST_MakeEnvelope(112, 20, 116, 24, 4326)), 'Asia/Shanghai', '110')`,
      [agencyId],
    );
    await client.query(
      `INSERT INTO alerts (id, slug, agency_id, state, mode, tier, area, origin, zone, place, call_number, instruction,
         hours, released_at, expires_at)
       VALUES ($1, $2, $3, 'live', 'exercise', 'critical', $4, 'POINT(114.06 22.54)', 'Asia/Shanghai', $5, '110', 'call',
         24, now(), now() + interval '20 hours')`,
      [
        alertId,
        slug,
        agencyId,
        { kind: 'circle', center: [114.06, 22.54], radiusM: 120_000 },
        { 'zh-CN': '深圳市福田区莲花山公园', en: 'Lianhuashan Park, Futian, Shenzhen' },
      ],
    );
    await client.query(`INSERT INTO messages (id, alert_id, version, kind, texts) VALUES ($1, $2, 1, 'alert', $3)`, [
      randomUUID(),
      alertId,
      {
        'zh-CN': { title: '寻找林小满，6岁', body: '身高约115厘米，穿黄色雨衣、蓝色雨靴，背小象书包。' },
        en: { title: 'Missing: Lin Xiaoman, 6', body: 'About 115 cm tall, yellow raincoat, blue boots.' },
      },
    ]);
  } finally {
    await client.end();
  }
  return slug;
}

/** How often the rows of messages have been looked up so far; a read of the alert's page does it once. */
async function readsOf(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // A backend tells what it did within a second of having nothing to do, and the page's has then.
    await client.query('SELECT pg_sleep(1.2)');
    const { rows } = await client.query<{ reads: string }>(
      `SELECT coalesce(idx_scan, 0) + seq_scan AS reads FROM pg_stat_user_tables WHERE relname = 'messages'`,
    );
    return Number(rows[0]?.reads);
  } finally {
    await client.end();
  }
}

function get(url: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request(new URL(path, url), { headers: { ...PHONE, ...headers } }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
    response.on('end', () => {
      const told = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
      const headers = Object.fromEntries(told) as Record<string, string>;
      resolve({ status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks) });
    });
  })
    .on('error', reject)
    .end();
  return promise;
}

/** What is fast and wrong is not compared. @throws Error for an answer that is not the page as it should be */
async function demandRight(url: string, path: string, { status, headers, body }: Answer): Promise<void> {
  const again = await get(url, path, { 'if-none-match': headers['etag'] ?? '' });
  const plain = await get(url, path, { 'accept-encoding': 'identity' });
  const sound = {
    'a page': status === 200 && plain.body.includes('林小满'),
    'may be kept': headers['cache-control'] === 'public, max-age=30, must-revalidate',
    'guarded by its headers': headers['content-security-policy']?.startsWith("default-src 'none'"),
    'compressed as told': headers['content-encoding'] === 'br' && brotliDecompressSync(body).equals(plain.body),
    'not sent twice': again.status === 304 && again.body.length === 0,
  };
  const unsound = Object.entries(sound).filter(([, is]) => !is);
  if (unsound.length > 0) throw new Error(`the page is not ${unsound.map(([what]) => what).join(', ')}`);
}

async function startBare(deployment: Deployment, bench: Bench, answer: Answer): Promise<Process<{ url: string }>> {
  const body = join(bench.dir, 'page');
  await writeFile(body, answer.body);
  const { date: _1, connection: _2, 'keep-alive': _3, 'content-length': _4, ...headers } = answer.headers;
  const bare: BarePage = { path: '/a/:slug', status: answer.status, headers, body };
  return deployment.start('bare-page', 'bench/peers/bare-page.ts', {}, [JSON.stringify(bare)]);
}
