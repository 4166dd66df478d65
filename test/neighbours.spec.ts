import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Position } from 'geojson';
import type { NeighbourPolicy, OfficerActor, Role } from '#access';
import { audienceStatement } from '#audience';
import { Cases } from '#cases';
import {
  Alerts,
  Ending,
  Feeder,
  Freezing,
  Holds,
  LandAsks,
  Lands,
  Preview,
  Release,
  submissionVersion,
} from '#dispatch';
import { type Area, coarsen, haversineM, type LonLat } from '#geo';
import { Transactions } from '#platform';
import { Asking } from '../libs/dispatch/src/asking.service.ts';
import { LandRepository } from '../libs/dispatch/src/land.repository.ts';
import { TestCity } from './harness/city.ts';
import { contended } from './harness/contended.ts';
import { makeActor, makeDevices, makeSubmission, type PlacedDevice, scatter } from './harness/fixtures.ts';

type Box = readonly [w: number, s: number, e: number, n: number];

/** Futian, in the middle of an invented map of police areas around Shenzhen. */
const HOME: LonLat = coarsen([114.06, 22.54]);
const AREA: Area = { kind: 'circle', center: HOME, radiusM: 70_000 };
const NEAR_M = 40_000;
const NEAR: Area = { kind: 'circle', center: HOME, radiusM: NEAR_M };
/** The home's verifier proved who they are long ago. */
const STALE = new Date(Date.now() - 3_600_000);

/** A box of an agency's; its horizontal edges lie between the rows of the positions' grid. */
const HOME_BOX: Box = [113.9, 22.305, 114.3, 22.805];
const EAST_BOX: Box = [114.25, 22.305, 114.7, 22.805];
const NORTH_BOX: Box = [113.8, 22.805, 114.7, 23.305];
const NORTH_TOWN_BOX: Box = [114, 22.805, 114.1, 22.905];
const WEST_BOX: Box = [113.3, 22.205, 113.95, 23.005];
const ANNEXE_BOX: Box = [113.85, 22.505, 113.95, 22.605];

describe('an area that crosses into other agencies’ land', () => {
  let city: TestCity;
  let home: string;
  let east: string;
  let north: string;
  let northTown: string;
  let west: string;
  let above: string;
  let liaison: OfficerActor;
  let verifier: OfficerActor;
  let northVerifier: OfficerActor;
  let devices: PlacedDevice[];
  let asks: LandAsks;

  const agency = async (box: Box, policy: NeighbourPolicy = 'ask', parent: string | null = null): Promise<string> => {
    const id = randomUUID();
    await city.source.query(
      `INSERT INTO agencies (id, name, parent_id, jurisdiction, zone, call_number, neighbour_policy)
       VALUES ($1, $2, $3, ST_Multi(ST_MakeEnvelope($4, $5, $6, $7, 4326)), 'Asia/Shanghai', '110', $8)`,
      [id, `Police ${id}`, parent, ...box, policy],
    );
    return id;
  };

  const officer = (agencyId: string, ...roles: Role[]) => makeActor(city.source, agencyId, ...roles);

  beforeAll(async () => {
    city = await TestCity.start({ unregisteredRate: 0, phones: { openRate: 0 } });
    // TestCity's own agency lies elsewhere.
    await city.source.query('UPDATE agencies SET jurisdiction = ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 4326))');
    above = await agency([113, 22, 114.5, 23.5], 'never');
    home = await agency(HOME_BOX, 'ask', above);
    await agency(ANNEXE_BOX, 'never', home);
    east = await agency(EAST_BOX, 'accept');
    north = await agency(NORTH_BOX, 'ask');
    northTown = await agency(NORTH_TOWN_BOX, 'accept', north);
    west = await agency(WEST_BOX, 'never');
    await agency([110, 20, 111, 21], 'never');
    liaison = await officer(home, 'liaison');
    verifier = await officer(home, 'verifier');
    northVerifier = await officer(north, 'verifier');
    asks = city.worker.get(LandAsks);
    // Land is cut off some metres beyond a circle: nobody stands there, so that a circle says it all.
    const places = scatter(4000, HOME, 75_000).filter((at) => Math.abs(haversineM(HOME, coarsen(at)) - NEAR_M) > 500);
    devices = await makeDevices(city.source, places);
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query(`UPDATE agencies SET neighbour_policy = 'ask' WHERE id = $1`, [north]);
    // Long ago, as far as a device's daily cap goes.
    await city.source.query(`UPDATE waves SET created_at = created_at - interval '2 days'`);
  });

  const caseOf = async (area: Area, tier: 'critical' | 'serious' | 'page_only' = 'critical') => {
    const release = city.worker.get(Release);
    const caseId = await release.file(liaison, makeSubmission({ area, tier }, HOME));
    await release.submit(liaison, caseId);
    return caseId;
  };

  const verify = async (actor: OfficerActor, caseId: string) => {
    const { found, photos } = await city.worker.get(Cases).read(verifier, caseId);
    const proposed = await city.worker.get(Alerts).ofCase(caseId);
    const version = submissionVersion(found, photos, proposed?.alert ?? null, proposed?.message ?? null);
    const released = await city.worker.get(Release).verify(actor, caseId, version);
    if (!released) throw new Error('no alert');
    return { ...released, caseId };
  };

  const released = async (area: Area = AREA) => verify(verifier, await caseOf(area));

  const openAsk = async (alertId: string, actor = northVerifier) =>
    (await asks.list(actor)).find((ask) => ask.alertId === alertId);

  const agree = async (alertId: string, actor = northVerifier) => {
    const ask = await openAsk(alertId);
    await asks.agree(actor, ask?.id as string, ask?.seen as string);
  };

  /** Ids of the ledger's recipients, per ring wave of the alert. */
  const asked = async (alertId: string): Promise<number[][]> => {
    const rows = await city.source.query<{ wave: number; ids: number[] }[]>(
      `SELECT w.id AS wave, array_agg(recipient ORDER BY recipient) FILTER (WHERE recipient IS NOT NULL) AS ids
       FROM waves w LEFT JOIN batches b ON b.wave_id = w.id LEFT JOIN batch_recipients r ON r.batch_id = b.id
         LEFT JOIN LATERAL unnest(r.ids) AS recipient ON true
       WHERE w.alert_id = $1 AND w.audience = 'ring' GROUP BY w.id ORDER BY w.id`,
      [alertId],
    );
    return rows.map((row) => row.ids ?? []);
  };

  /** Ids of the devices inside an area by PostGIS, whose place the predicate takes. */
  const inside = async (area: Area, takes: (at: LonLat) => boolean = () => true): Promise<number[]> => {
    if (area.kind !== 'circle') throw new Error('circles only');
    const rows = await city.source.query<{ id: number }[]>(
      `SELECT device_id AS id FROM positions WHERE ST_DWithin(ST_MakePoint(lon, lat)::geography, ST_MakePoint($1, $2)::geography, $3)`,
      [...area.center, area.radiusM],
    );
    const near = new Set(rows.map((row) => row.id));
    return devices.filter(({ id, at }) => near.has(id) && takes(at)).map(({ id }) => id).sort((a, b) => a - b); // prettier-ignore
  };

  const isIn = ([w, s, e, n]: Box, [lon, lat]: LonLat) => w <= lon && lon <= e && s <= lat && lat <= n;
  const isOwn = (at: LonLat) => isIn(HOME_BOX, at) || isIn(ANNEXE_BOX, at);
  const inNorth = (at: LonLat) => isIn(NORTH_BOX, at) && !isIn(NORTH_TOWN_BOX, at);
  const inWest = (at: LonLat) => isIn(WEST_BOX, at) && !isOwn(at);

  const policyOf = async (alertId: string) => {
    const { alert } = (await city.worker.get(Alerts).ofCase(await caseIdOf(alertId))) as {
      alert: Parameters<Lands['neighbours']>[0];
    };
    const met = await city.worker.get(Lands).neighbours(alert);
    return new Map(met.map(({ agencyId, state }) => [agencyId, state]));
  };

  const caseIdOf = async (alertId: string) => {
    const [row] = await city.source.query<[{ id: string }]>(
      'SELECT case_id AS id FROM alert_cases WHERE alert_id = $1',
      [alertId],
    );
    return row.id;
  };

  const actsOn = async (alertId: string, agencyId: string) => {
    const rows = await city.source.query<{ action: string }[]>(
      'SELECT action FROM audit_entries WHERE agency_id = $1 AND thing = $2 ORDER BY seq',
      [agencyId, `alert:${alertId}`],
    );
    return rows.map((row) => row.action);
  };

  /** Makes the alert's area wider and asks its ring again, as an approved change does. */
  const widen = (alertId: string, area: Area) =>
    city.worker.get(Transactions).run(async (unit) => {
      await unit.tx.query('UPDATE alerts SET area = $2 WHERE id = $1', [alertId, area]);
      const { alert, message } = (await city.worker.get(Alerts).ofCase(await caseIdOf(alertId), unit.tx)) as never;
      return city.worker.get(Asking).ring(unit, alert, message);
    });

  /** Counts for officers are rounded, and previews estimated by zones. */
  const about = (told: number | null, devices: number) => expect(Math.abs((told ?? 0) / devices - 1)).toBeLessThan(0.2);

  it('asks each device as its land’s agency wants: exactly, and the books balance', async () => {
    const { alertId, targeted, withheld, waiting, closed } = await released();
    const everyone = await inside(AREA);
    const onNorth = await inside(AREA, inNorth);
    const onWest = await inside(AREA, inWest);
    const rest = await inside(AREA, (at) => !inNorth(at) && !inWest(at));
    expect(await asked(alertId)).toEqual([rest]);
    expect(targeted).toBe(rest.length);
    expect(onNorth.length).toBeGreaterThan(300);
    expect(onWest.length).toBeGreaterThan(300);
    // Where both claim the land, closed is stronger than waiting.
    const both = await inside(AREA, (at) => inNorth(at) && inWest(at));
    expect(both.length).toBeGreaterThan(10);
    about(waiting, onNorth.length - both.length);
    about(closed, onWest.length);
    const [wave] = await city.source.query<[{ elsewhere: object }]>('SELECT elsewhere FROM waves WHERE alert_id = $1', [
      alertId,
    ]);
    expect(wave.elsewhere).toEqual({ waiting: onNorth.length - both.length, closed: onWest.length });
    expect(targeted + onNorth.length - both.length + onWest.length).toBe(everyone.length);
    expect(withheld).toEqual({});
    const states = await policyOf(alertId);
    expect(states).toEqual(new Map([[east, 'accepted'], [north, 'asked'], [northTown, 'accepted'], [west, 'never']])); // prettier-ignore
  });

  it('shows whom it crosses before it is submitted, with rounded counts', async () => {
    const id = await city.worker.get(Release).file(liaison, makeSubmission({ area: AREA }, HOME));
    const preview = await city.worker.get(Preview).ofCase(liaison, id);
    expect(new Set(preview.neighbours.map(({ agencyId, policy, state }) => `${agencyId} ${policy} ${state}`))).toEqual(
      new Set([`${east} accept null`, `${north} ask null`, `${northTown} accept null`, `${west} never null`]),
    );
    about(preview.closed, (await inside(AREA, inWest)).length);
    about(preview.waiting, (await inside(AREA, (at) => inNorth(at) && !inWest(at))).length);
    about(preview.reached, (await inside(AREA, (at) => !inNorth(at) && !inWest(at))).length);
  });

  it('meets nobody inside its own land, and nobody’s edge', async () => {
    const small: Area = { kind: 'circle', center: HOME, radiusM: 10_000 };
    const { alertId } = await released(small);
    expect(await policyOf(alertId)).toEqual(new Map());
    expect(await asked(alertId)).toEqual([await inside(small)]);
    const [w, s, e, n] = HOME_BOX;
    const ring: Position[] = [[w, s], [e, s], [e, n], [w, n], [w, s]]; // prettier-ignore
    const own = await caseOf({ kind: 'polygon', polygon: { type: 'Polygon', coordinates: [ring] } });
    const { neighbours } = await city.worker.get(Preview).ofCase(liaison, own);
    expect(neighbours).toEqual([]);
  });

  it('meets those whom a corridor comes near, not those inside its bounds', async () => {
    const [w, s, e, n] = HOME_BOX;
    const along = (coordinates: Position[], withinM: number): Area => ({ kind: 'corridor', line: { type: 'LineString', coordinates }, withinM }); // prettier-ignore
    const [x, y] = HOME;
    const met = async (area: Area) => {
      const { neighbours } = await city.worker.get(Preview).ofCase(liaison, await caseOf(area));
      return neighbours.map(({ agencyId }) => agencyId);
    };
    expect(await met(along([[w + 0.02, y], [e - 0.02, y]], 500))).toEqual([]); // prettier-ignore
    expect(await met(along([[x, s + 0.02], [x, n - 0.02]], 5_000))).toContain(north); // prettier-ignore
    expect(await met(along([[x, s + 0.02], [x, n - 0.02]], 5_000))).not.toContain(west); // prettier-ignore
    const { alertId } = await released(along([[x, y], [x, n + 0.1]], 3_000)); // prettier-ignore
    expect(await policyOf(alertId)).toEqual(new Map([[north, 'asked'], [northTown, 'accepted']])); // prettier-ignore
  });

  it('asks nobody’s yes for what is not sent', async () => {
    const { alertId } = await verify(verifier, await caseOf(AREA, 'page_only'));
    expect(await policyOf(alertId)).toEqual(new Map());
    expect(await openAsk(alertId)).toBeUndefined();
  });

  it('reaches the land of who agrees, once, and is written in both agencies’ audit', async () => {
    const { alertId } = await released();
    const ask = await openAsk(alertId);
    expect(ask).toMatchObject({ state: 'asked', agencyId: north, byId: home, alertId, tier: 'critical', area: AREA });
    await agree(alertId);
    const [first, second] = await asked(alertId);
    expect(second).toEqual(await inside(AREA, (at) => inNorth(at) && !inWest(at)));
    expect((first ?? []).filter((id) => second?.includes(id))).toEqual([]);
    await expect(asks.agree(northVerifier, ask?.id as string, ask?.seen as string)).rejects.toMatchObject({
      code: 'ask_decided',
    });
    await expect(asks.refuse(northVerifier, ask?.id as string, 'other')).rejects.toMatchObject({ code: 'ask_decided' });
    expect(await openAsk(alertId)).toBeUndefined();
    expect(await actsOn(alertId, north)).toEqual(['ask.agree']);
    expect(await actsOn(alertId, home)).toEqual(['ask.create', 'alert.release', 'ask.agree']);
    await city.settled(alertId);
    const { accepted } = city.simulator.alertStats(alertId);
    expect(accepted).toBe((first?.length ?? 0) + (second?.length ?? 0));
  });

  it('keeps off the land of who refuses, until they take it back', async () => {
    const { alertId } = await released();
    const ask = await openAsk(alertId);
    await asks.refuse(northVerifier, ask?.id as string, 'operation');
    expect(await asked(alertId)).toHaveLength(1);
    expect((await policyOf(alertId)).get(north)).toBe('refused');
    const reviews = await city.source.query<object[]>('SELECT act FROM reviews WHERE thing = $1 AND agency_id = $2', [`alert:${alertId}`, north]); // prettier-ignore
    expect(reviews).toEqual([{ act: 'ask.refuse' }]);
    await widen(alertId, AREA);
    expect((await asked(alertId)).flat()).toEqual((await asked(alertId))[0]);
    await agree(alertId);
    expect((await asked(alertId)).at(-1)).toEqual(await inside(AREA, (at) => inNorth(at) && !inWest(at)));
    expect(await actsOn(alertId, home)).toEqual(['ask.create', 'alert.release', 'ask.refuse', 'ask.agree']);
  });

  it('asks again for land that a wider ring meets; what was agreed stays so', async () => {
    const { alertId } = await released(NEAR);
    await agree(alertId);
    const before = (await asked(alertId)).flat();
    await widen(alertId, AREA);
    const late = (await asked(alertId)).at(-1) ?? [];
    const newlyMet = await inside(AREA, (at) => inNorth(at) && !inWest(at));
    const agreed = newlyMet.filter((id) => before.includes(id));
    expect(agreed.length).toBeGreaterThan(10);
    expect(late.filter((id) => newlyMet.includes(id))).toHaveLength(0);
    const states = await city.source.query<{ state: string }[]>('SELECT state FROM alert_lands WHERE alert_id = $1 AND agency_id = $2 ORDER BY state', [alertId, north]); // prettier-ignore
    expect(states).toEqual([{ state: 'agreed' }, { state: 'asked' }]);
    await agree(alertId);
    expect((await asked(alertId)).flat().sort((a, b) => a - b)).toEqual(await inside(AREA, (at) => !inWest(at)));
  });

  it('has one open ask of an alert, whose land grows; who read the smaller one reads again', async () => {
    const { alertId } = await released(NEAR);
    const read = await openAsk(alertId);
    await widen(alertId, AREA);
    const [row] = await city.source.query<[{ asks: number }]>(`SELECT count(*) AS asks FROM alert_lands WHERE alert_id = $1 AND state = 'asked'`, [alertId]); // prettier-ignore
    expect(row.asks).toBe(1);
    await expect(asks.agree(northVerifier, read?.id as string, read?.seen as string)).rejects.toMatchObject({
      code: 'version_changed',
    });
    await agree(alertId);
    expect((await asked(alertId)).flat().sort((a, b) => a - b)).toEqual(await inside(AREA, (at) => !inWest(at)));
  });

  it('keeps to the policy of the hour it met the land', async () => {
    const { alertId } = await released(NEAR);
    await city.source.query(`UPDATE agencies SET neighbour_policy = 'accept' WHERE id = $1`, [north]);
    await widen(alertId, AREA);
    const onNear = await inside(NEAR, (at) => inNorth(at) && !inWest(at));
    const held = (await asked(alertId)).flat();
    expect(onNear.filter((id) => held.includes(id))).toEqual([]);
    expect(onNear.length).toBeGreaterThan(10);
    expect(held.length).toBeGreaterThan((await inside(AREA, (at) => !inNorth(at) && !inWest(at))).length);
  });

  it('leaves out whoever stands on others’ land, whatever the map', async () => {
    const near = fc.tuple(
      fc.double({ min: 113.3, max: 114.8, noNaN: true }),
      fc.double({ min: 22, max: 23.1, noNaN: true }),
    );
    const reach = fc.double({ min: 0.05, max: 0.8, noNaN: true });
    /** Squares on their corners: no edge is parallel to the positions' grid. */
    const jurisdiction = fc.tuple(near, reach).map(([[x, y], r]) => [[x - r, y], [x, y - r], [x + r, y], [x, y + r], [x - r, y]]); // prettier-ignore
    const map = fc.record({
      shapes: fc.array(jurisdiction, { minLength: 5, maxLength: 5 }),
      policies: fc.array(fc.constantFrom<NeighbourPolicy>('accept', 'ask', 'never'), { minLength: 5, maxLength: 5 }),
      /** Each agency may stand below an earlier one. */
      parents: fc.tuple(fc.constant(null), ...[1, 2, 3, 4].map((i) => fc.option(fc.nat({ max: i - 1 })))),
      centre: near,
      radiusM: fc.double({ min: 5_000, max: 60_000, noNaN: true }),
    });
    const lands = city.worker.get(LandRepository);
    await fc.assert(
      fc.asyncProperty(map, async ({ shapes, policies, parents, centre, radiusM }) => {
        const area: Area = { kind: 'circle', center: centre, radiusM };
        await city.source
          .transaction(async (tx) => {
            await tx.query('UPDATE agencies SET jurisdiction = ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 4326))');
            const ids = shapes.map(() => randomUUID());
            for (const [i, ring] of shapes.entries()) {
              await tx.query(
                `INSERT INTO agencies (id, name, parent_id, jurisdiction, zone, call_number, neighbour_policy)
                 VALUES ($1, $2, $3, ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON($4::text), 4326)), 'Asia/Shanghai', '110', $5)`,
                [
                  ids[i],
                  `Map ${ids[i]}`,
                  parents[i] == null ? null : ids[parents[i]],
                  JSON.stringify({ type: 'Polygon', coordinates: [ring] }),
                  policies[i],
                ],
              );
            }
            const [self] = ids as [string];
            const { leftOut } = await lands.foresee(self, area, tx);
            const query = { area, origin: centre, tier: 'critical' as const, at: new Date(), lands: leftOut };
            const { sql, parameters } = await audienceStatement(query);
            const told = await tx.query<object[]>(`SELECT device_id, withheld FROM (${sql}) a ORDER BY device_id`, [
              ...parameters,
            ]);
            // Position by position, without a single operation on shapes.
            const chain = (i: number): number[] => (parents[i] == null ? [i] : [i, ...chain(parents[i])]);
            const isBelow = (i: number, j: number) => i !== j && chain(i).includes(j);
            const contains = (i: number, [lon, lat]: LonLat) => {
              const [[w = 0, y = 0] = [], , [e = 0] = []] = shapes[i] as number[][];
              return Math.abs(lon - (w + e) / 2) + Math.abs(lat - y) <= (e - w) / 2;
            };
            const standing = (at: LonLat) => {
              const here = shapes.map((_, i) => i).filter((i) => contains(i, at));
              if (here.some((i) => i === 0 || isBelow(i, 0))) return null;
              const governs = here.filter((i) => !chain(0).includes(i) && !here.some((j) => isBelow(j, i)));
              const said = governs.map((i) => policies[i]);
              return said.includes('never') ? 'closed' : said.includes('ask') ? 'waiting' : null;
            };
            const within = await inside(area);
            const oracle = devices.filter(({ id }) => within.includes(id)).map(({ id, at }) => ({ device_id: id, withheld: standing(at) })); // prettier-ignore
            expect(told).toEqual(oracle.sort((a, b) => a.device_id - b.device_id));
            throw new Error('undone');
          })
          .catch((error: Error) => {
            if (error.message !== 'undone') throw error;
          });
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  describe('is decided', () => {
    const refusedWith = async (actor: OfficerActor, code: string, alertId?: string) => {
      const id = alertId ?? (await released()).alertId;
      const ask = await openAsk(id);
      await expect(asks.agree(actor, ask?.id as string, ask?.seen as string)).rejects.toMatchObject({ code });
      return ask?.id as string;
    };

    it('by no other agency, and by none who asks: to them there is no such ask', async () => {
      const { alertId } = await released();
      for (const stranger of [verifier, await officer(east, 'verifier'), await officer(northTown, 'verifier')]) {
        const id = await refusedWith(stranger, 'ask_not_found', alertId);
        await expect(asks.refuse(stranger, id, 'other')).rejects.toMatchObject({ code: 'ask_not_found' });
        expect((await asks.list(stranger)).filter((ask) => ask.alertId === alertId)).toEqual([]);
      }
      await expect(asks.agree(northVerifier, randomUUID(), 'f'.repeat(64))).rejects.toMatchObject({
        code: 'ask_not_found',
      });
    });

    it('by verifiers only, who proved just now who they are; a refusal needs no proof', async () => {
      const { alertId } = await released();
      await refusedWith(await officer(north, 'liaison', 'analyst'), 'forbidden', alertId);
      await expect(asks.list(await officer(north, 'liaison'))).rejects.toMatchObject({ code: 'forbidden' });
      const id = await refusedWith({ ...northVerifier, steppedUpAt: STALE }, 'step_up_required', alertId);
      await asks.refuse({ ...northVerifier, steppedUpAt: STALE }, id, 'duplicate');
    });

    it('by a verifier of an agency above the asked one', async () => {
      const county = await agency([113, 22.8, 115, 24], 'never');
      await city.source.query('UPDATE agencies SET parent_id = $2 WHERE id = $1', [north, county]);
      const { alertId } = await released();
      const chief = { ...(await officer(county, 'verifier')), belowIds: [north, northTown] };
      expect(await openAsk(alertId, chief)).toMatchObject({ agencyId: north });
      await agree(alertId, chief);
      await city.source.query('UPDATE agencies SET parent_id = NULL WHERE id = $1', [north]);
      await city.source.query('DELETE FROM alert_lands WHERE agency_id = $1', [county]);
      await city.source.query(
        `UPDATE agencies SET jurisdiction = ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 4326)) WHERE id = $1`,
        [county],
      );
    });

    it('by nobody who had a hand in the case, or a conflict with it', async () => {
      const { alertId, caseId } = await released();
      await city.source.query('UPDATE cases SET author_ids = author_ids || $2::uuid WHERE id = $1', [
        caseId,
        northVerifier.id,
      ]);
      await refusedWith(northVerifier, 'verifier_is_author', alertId);
      const other = await officer(north, 'verifier');
      await city.source.query('UPDATE cases SET conflicted_ids = ARRAY[$2::uuid] WHERE id = $1', [caseId, other.id]);
      const id = await refusedWith(other, 'conflict_of_interest', alertId);
      await expect(asks.refuse(other, id, 'other')).rejects.toMatchObject({ code: 'conflict_of_interest' });
    });

    it('no more once the alert has ended, is over its time, or is stopped', async () => {
      const over = [
        (id: string) =>
          city.worker
            .get(Ending)
            .end(liaison, id, { kind: 'found', ending: 'ended', familyTold: false, outcome: 'safe', cause: 'none' }),
        (id: string) =>
          city.source.query(
            `UPDATE alerts SET released_at = now() - interval '2 days', expires_at = now() - interval '1 second' WHERE id = $1`,
            [id],
          ),
        (id: string) => city.worker.get(Holds).stop(liaison, id),
      ];
      for (const finish of over) {
        const { alertId } = await released();
        const ask = await openAsk(alertId);
        await finish(alertId);
        expect(await openAsk(alertId)).toBeUndefined();
        await expect(asks.agree(northVerifier, ask?.id as string, ask?.seen as string)).rejects.toMatchObject({
          code: 'alert_ended',
        });
        expect(await asked(alertId)).toHaveLength(1);
      }
    });

    it('while the alert is held, and waits with it', async () => {
      const { alertId } = await released();
      await city.worker.get(Holds).hold(liaison, alertId, 'danger');
      await agree(alertId);
      await city.worker.get(Feeder).feed();
      const states = await city.source.query<{ state: string; size: number }[]>(
        `SELECT state, sum(size)::int AS size FROM batches
         WHERE wave_id = (SELECT max(id) FROM waves WHERE alert_id = $1) GROUP BY state`,
        [alertId],
      );
      expect(states).toEqual([{ state: 'pending', size: (await asked(alertId))[1]?.length }]);
    });

    it('while it was all that was waited for, and its author is frozen: it is held', async () => {
      const { alertId } = await released();
      await city.source.query(
        `UPDATE batches SET state = 'settled', lease_until = NULL, results = repeat('a', size) WHERE alert_id = $1`,
        [alertId],
      );
      await city.worker.get(Freezing).freezeOfficer(await officer(home, 'administrator'), liaison.id);
      const [{ held }] = await city.source.query<[{ held: string | null }]>(
        'SELECT held_reason AS held FROM alerts WHERE id = $1',
        [alertId],
      );
      expect(held).not.toBeNull();
      await city.source.query('UPDATE officers SET frozen_at = NULL WHERE id = $1', [liaison.id]);
    });

    it('once: two decisions at the same time settle one way', async () => {
      const { alertId } = await released();
      const ask = await openAsk(alertId);
      const other = await officer(north, 'verifier');
      const results = await contended(city.source, 'SELECT 1 FROM alerts WHERE id = $1 FOR UPDATE', alertId, 2, () =>
        Promise.allSettled([
          asks.agree(northVerifier, ask?.id as string, ask?.seen as string),
          asks.agree(other, ask?.id as string, ask?.seen as string),
        ]),
      );
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await asked(alertId)).toHaveLength(2);
      expect(await actsOn(alertId, north)).toEqual(['ask.agree']);
    });
  });

  describe('jurisdiction', () => {
    it('nobody acts outside of it: not where the child was last seen in another’s', async () => {
      const at: LonLat = coarsen([114.06, 22.95]);
      const release = city.worker.get(Release);
      const id = await release.file(liaison, makeSubmission({ area: AREA }, at));
      await expect(release.submit(liaison, id)).rejects.toMatchObject({ code: 'outside_jurisdiction' });
    });

    it('a verifier of an agency above verifies its case; a liaison there, and another agency, cannot', async () => {
      const caseId = await caseOf(AREA);
      const chief = { ...(await officer(above, 'verifier')), belowIds: [home] };
      const clerk = { ...(await officer(above, 'liaison')), belowIds: [home] };
      await expect(verify(clerk, caseId)).rejects.toMatchObject({ code: 'case_not_found' });
      await expect(verify(northVerifier, caseId)).rejects.toMatchObject({ code: 'case_not_found' });
      expect((await verify(chief, caseId)).targeted).toBeGreaterThan(0);
    });

    it('the asked agency’s verifier sees the alert and never the case', async () => {
      const { caseId, alertId } = await released();
      await expect(city.worker.get(Cases).read(northVerifier, caseId)).rejects.toMatchObject({
        code: 'case_not_found',
      });
      const ask = JSON.stringify(await openAsk(alertId));
      expect(ask).toContain('七岁');
      expect(ask).not.toContain('测试小雨');
      expect(ask).not.toContain(caseId);
    });
  });
});
