import { randomBytes, randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { OfficerActor, Role } from '#access';
import type { AlertProposal, Submission } from '#dispatch';
import { cellOf, coarsen, type LonLat } from '#geo';

/** Shenzhen: real ground, invented people. */
export const SHENZHEN: LonLat = coarsen([114.06, 22.54]);

const POLICE_NAMES = () => `Test agency ${randomBytes(4).toString('hex')}`;

/** An agency whose jurisdiction is a box around a place, in degrees each way. */
export async function seedAgency(source: DataSource, around: LonLat = SHENZHEN, reach = 2): Promise<string> {
  const id = randomUUID();
  const [w, s, e, n] = [around[0] - reach, around[1] - reach, around[0] + reach, around[1] + reach];
  await source.query(
    `INSERT INTO agencies (id, name, jurisdiction, zone, call_number)
     VALUES ($1, $2, ST_Multi(ST_MakeEnvelope($3, $4, $5, $6, 4326)), 'Asia/Shanghai', '110')`,
    [id, POLICE_NAMES(), w, s, e, n],
  );
  return id;
}

/** An officer who cannot sign in, for tests below the api. */
export async function makeActor(source: DataSource, agencyId: string, ...roles: Role[]): Promise<OfficerActor> {
  const id = randomUUID();
  await source.query(
    `INSERT INTO officers (id, agency_id, login, name, password_hash, roles) VALUES ($1, $2, $3, 'Test officer', 'none', $4)`,
    [id, agencyId, `officer-${id}`, roles],
  );
  return { kind: 'officer', id, agencyId, belowIds: [], roles, sessionId: randomUUID(), steppedUpAt: new Date() };
}

export interface PlacedDevice {
  readonly id: number;
  readonly token: string;
  readonly at: LonLat;
}

/** Registered, reachable devices at these places (rounded as the product does), with simulator tokens. */
export async function makeDevices(source: DataSource, places: readonly LonLat[], days = 0): Promise<PlacedDevice[]> {
  const stored = places.map(coarsen);
  const tokens = stored.map(() => `sim:${randomBytes(12).toString('hex')}`);
  const rows = await source.query<{ id: number; token: string }[]>(
    `INSERT INTO devices (secret_hash, provider, platform, token, language)
     SELECT sha256(t::bytea), 'fcm', CASE WHEN n % 3 = 0 THEN 'ios' ELSE 'android' END, t, CASE WHEN n % 5 = 0 THEN 'en' ELSE 'zh-CN' END
     FROM unnest($1::text[]) WITH ORDINALITY AS token(t, n) RETURNING id, token`,
    [tokens],
  );
  const ids = new Map(rows.map((row) => [row.token, row.id]));
  const devices = stored.map((at, i) => ({
    id: ids.get(tokens[i] as string) as number,
    token: tokens[i] as string,
    at,
  }));
  await source.query(
    `INSERT INTO positions (device_id, provider, cell, lon, lat, seen_at)
     SELECT id, 'fcm', cell, lon, lat, now() - make_interval(days => $5)
     FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::float8[]) AS place(id, cell, lon, lat)`,
    [devices.map((d) => d.id), stored.map(cellOf), stored.map((p) => p[0]), stored.map((p) => p[1]), days],
  );
  return devices;
}

/** Places scattered evenly within a radius of a point. `random` draws from [0, 1). */
export function scatter(count: number, around: LonLat, radiusM: number, random: () => number = Math.random): LonLat[] {
  return Array.from({ length: count }, () => {
    const [distance, angle] = [radiusM * Math.sqrt(random()), 2 * Math.PI * random()];
    const north = (distance * Math.cos(angle)) / 111_320;
    const east = (distance * Math.sin(angle)) / (111_320 * Math.cos((around[1] * Math.PI) / 180));
    return [around[0] + east, around[1] + north] as const;
  });
}

/** A complete submission about an invented child, last seen two hours ago. */
export function makeSubmission(alert: Partial<AlertProposal> = {}, at: LonLat = SHENZHEN): Submission {
  const hour = 3_600_000;
  return {
    case: {
      type: 'lost',
      details: {
        name: '测试小雨',
        ageYears: 7,
        sex: 'female',
        looks: null,
        clothes: '黄色雨衣',
        needs: null,
        circumstances: null,
      },
      lastSeen: {
        from: new Date(Date.now() - 3 * hour),
        until: new Date(Date.now() - 2 * hour),
        place: '公园',
        point: at,
      },
      consent: { given: 'guardian', reason: null },
      custodyOrderChecked: true,
      publicity: 'safe',
    },
    alert: {
      tier: 'critical',
      area: { kind: 'circle', center: at, radiusM: 120_000 },
      ladder: null,
      place: { 'zh-CN': '深圳', en: 'Shenzhen' },
      photoId: null,
      hours: 24,
      exercise: false,
      texts: {
        'zh-CN': { title: '寻找走失女孩', body: '七岁,黄色雨衣。' },
        en: { title: 'Missing girl', body: 'Seven years old, yellow raincoat.' },
      },
      ...alert,
    },
  };
}
