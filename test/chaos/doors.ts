import { RecipientReferences } from '#dispatch';
import { Keys } from '#platform';
import { memoryMb } from '../harness/deployment.ts';
import { type Call, Herd, positionCall } from './herd.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { type Wave, waveUnder } from './wave-fault.ts';

/** A disk on which each commit takes so long makes capacity small enough to be outdone four times by one machine. */
const COMMIT_S = 1;
const TIMES = 4;
/** A process of some 200 MB, and as many connections as may wait, of some 60 KB each. */
const MAX_MB = 768;
/** Of the calls, how many may end without an answer: on a connection that was closed while they were written. */
const UNANSWERED = 0.01;
/** Reports for the measurement of capacity, and for the flood. */
const POSITIONS = { measured: 2_000, offered: 20_000 } as const;
const RECEIPTS = { measured: 20, offered: 160 } as const;
const ITEMS = 100;

/** What the phones tell, and what must be found of what was acknowledged. */
interface Door {
  readonly name: string;
  readonly what: string;
  readonly table: 'positions' | 'receipts';
  readonly counts: { readonly measured: number; readonly offered: number };
  calls(stage: Stage, wave: Wave): Promise<readonly Call[]>;
  /** @returns how many of the acknowledged calls are not in the database */
  lost(stage: Stage, wave: Wave, acknowledged: readonly number[], since: Date): Promise<number>;
}

const positions: Door = {
  name: 'positions-flood',
  what: 'phones tell their places',
  table: 'positions',
  counts: POSITIONS,
  calls: async (stage) => {
    const rows = await placesOf(stage);
    return Array.from({ length: POSITIONS.measured + POSITIONS.offered }, (_, n) => {
      const { id, lon, lat } = rows[n % rows.length] as Place;
      return positionCall(id, [lon, lat]);
    });
  },
  lost: async (stage, _wave, acknowledged, since) => {
    const rows = await placesOf(stage);
    const ids = acknowledged.map((n) => rows[n % rows.length]?.id);
    const [row] = await stage.ledger.query<{ lost: number }>(
      'SELECT count(*)::int AS lost FROM positions WHERE device_id = ANY ($1) AND seen_at < $2',
      [ids, since],
    );
    return row?.lost ?? ids.length;
  },
};

const receipts: Door = {
  name: 'receipts-flood',
  what: 'phones send receipts',
  table: 'receipts',
  counts: RECEIPTS,
  calls: async (stage, wave) => {
    const references = new RecipientReferences(new Keys({ SECRET_KEY: stage.run.secretKey }));
    const reports = await reportsOf(stage, wave);
    return Array.from({ length: RECEIPTS.measured + RECEIPTS.offered }, (_, n) => {
      const items = (reports[n % reports.length] ?? []).map(({ batch, index }) => ({
        ref: references.encode(batch, index),
        kind: 'opened',
      }));
      return { method: 'POST', path: '/v1/receipts', headers: {}, body: JSON.stringify({ items }) };
    });
  },
  lost: async (stage, wave, acknowledged) => {
    const reports = await reportsOf(stage, wave);
    const told = [...new Set(acknowledged.map((n) => n % reports.length))].flatMap((n) => reports[n] ?? []);
    const [row] = await stage.ledger.query<{ lost: number }>(
      `SELECT count(*)::int AS lost FROM unnest($1::bigint[], $2::int[]) AS told (batch, index)
       WHERE NOT EXISTS (SELECT FROM receipts r WHERE r.batch_id = batch AND r.index = told.index AND r.kind = 'opened')`,
      [told.map(({ batch }) => batch), told.map(({ index }) => index)],
    );
    return row?.lost ?? told.length;
  },
};

export const doors: readonly Scenario[] = [flood(positions), flood(receipts)];

function flood(door: Door): Scenario {
  const faults: string[] = [];
  return waveUnder({
    name: door.name,
    breaks: `${door.what} at four times the rate that is stored, on a disk whose commits take ${COMMIT_S} s`,
    phones: 6_000,
    strike: async (stage, wave, broken) => {
      faults.length = 0;
      const herd = new Herd(stage.api.ready.url);
      const { measured } = door.counts;
      const calls = await door.calls(stage, wave);
      const since = new Date();
      await slow(stage, door.table);
      try {
        const perSecond = await capacity(herd, calls.slice(0, measured));
        stage.run.say(`    ${Math.round(perSecond)} a second are stored; ${TIMES} times as many are offered`);
        broken();
        const heard = await herd.offer(calls.slice(measured), perSecond * TIMES);
        const acknowledged = heard.flatMap(({ status }, n) => (status >= 200 && status < 300 ? [n + measured] : []));
        const refused = heard.filter(({ status, retryAfter }) => status === 503 && retryAfter).length;
        const hungUp = heard.flatMap((each) => each.broken ?? []);
        const others = heard.length - acknowledged.length - refused - hungUp.length;
        const lost = await door.lost(stage, wave, acknowledged, since);
        const { highest } = memoryMb(stage.api.pid);
        stage.run.say(`    ${acknowledged.length} acknowledged, ${refused} refused for now; ${Math.round(highest)} MB`);
        if (lost > 0) faults.push(`${lost} were acknowledged and are not stored`);
        if (others > 0) faults.push(`${others} were neither acknowledged nor told when to come again`);
        if (hungUp.length > heard.length * UNANSWERED)
          faults.push(`${hungUp.length} got no answer: ${[...new Set(hungUp)].join(', ')}`);
        if (highest > MAX_MB) faults.push(`the api took ${Math.round(highest)} MB`);
        return refused > 0 && acknowledged.length > 0;
      } finally {
        await fast(stage, door.table);
        herd.close();
      }
    },
    after: async () => faults,
  });
}

/** Calls a second that are answered while some always wait, once there are connections. */
async function capacity(herd: Herd, calls: readonly Call[]): Promise<number> {
  await herd.offer(calls, Infinity);
  const began = performance.now();
  await herd.offer(calls, Infinity);
  return calls.length / ((performance.now() - began) / 1000);
}

async function slow(stage: Stage, table: Door['table']): Promise<void> {
  await stage.ledger.query(`
    CREATE FUNCTION chaos_wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(${COMMIT_S}); RETURN NULL; END $$`);
  await stage.ledger.query(`
    CREATE TRIGGER chaos_wait BEFORE INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION chaos_wait()`);
}

async function fast(stage: Stage, table: Door['table']): Promise<void> {
  await stage.ledger.query(`DROP TRIGGER chaos_wait ON ${table}`);
  await stage.ledger.query('DROP FUNCTION chaos_wait');
}

interface Place {
  readonly id: number;
  readonly lon: number;
  readonly lat: number;
}

/** Everyone says again where they are, so that nobody moves. */
function placesOf(stage: Stage): Promise<Place[]> {
  return stage.ledger.query(
    'SELECT device_id::int AS id, lon, lat FROM positions WHERE lon IS NOT NULL ORDER BY device_id',
  );
}

interface Recipient {
  readonly batch: number;
  readonly index: number;
}

async function reportsOf(stage: Stage, { alertId }: Wave): Promise<Recipient[][]> {
  const recipients = await stage.ledger.query<Recipient>(
    `SELECT b.id::int AS batch, index FROM batches b CROSS JOIN LATERAL generate_series(0, b.size - 1) AS index
     WHERE b.alert_id = $1 ORDER BY b.id, index`,
    [alertId],
  );
  const reports = Math.floor(recipients.length / ITEMS);
  return Array.from({ length: reports }, (_, n) => recipients.slice(n * ITEMS, (n + 1) * ITEMS));
}
