import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OfficerActor } from '#access';
import { Holds, type Ladder, Ladders, TopUp } from '#dispatch';
import type { LonLat } from '#geo';
import { TestCity } from './harness/city.ts';
import { makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';

const km = (distance: number): LonLat => [SHENZHEN[0], SHENZHEN[1] + distance / 111];
const near = { area: { kind: 'circle', center: SHENZHEN, radiusM: 10_000 } } as const;
const LADDER: Ladder = {
  confirm: false,
  rings: [
    { radiusM: 20_000, afterMinutes: 30 },
    { radiusM: 40_000, afterMinutes: 60 },
    { radiusM: 80_000, afterMinutes: 90 },
  ],
};

describe('the ladder of an alert', () => {
  let city: TestCity;
  let tools: LiveAlertTools;
  let second: OfficerActor;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0, receiveRate: 1 } }, { PUSH_QUOTA_PER_MINUTE: '120000' });
    tools = new LiveAlertTools(city);
    second = await tools.verifier();
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query(`UPDATE alerts SET state = 'ended', ended_at = now() WHERE state = 'live'`);
    await city.source.query('TRUNCATE devices CASCADE');
    // At 5, 15, 30 and 60 km: 40, 30, 20 and 10.
    await makeDevices(city.source, [
      ...scatter(40, km(4), 3_000),
      ...scatter(30, km(15), 1_500),
      ...scatter(20, km(30), 3_000),
      ...scatter(10, km(60), 3_000),
    ]);
  });

  const ladders = () => city.worker.get(Ladders);
  const live = (ladder: Ladder = LADDER, alert = {}) => city.release(makeSubmission({ ...near, ladder, ...alert }));
  const accepted = (alertId: string) => city.simulator.alertStats(alertId).accepted;

  /** As if so many minutes more had gone by, for the alert and for its rings. */
  const pass = async (alertId: string, minutes: number) => {
    await city.source.query('UPDATE alerts SET released_at = released_at - make_interval(mins => $2) WHERE id = $1', [
      alertId,
      minutes,
    ]);
    await city.source.query(
      'UPDATE ladder_steps SET fired_at = fired_at - make_interval(mins => $2) WHERE alert_id = $1',
      [alertId, minutes],
    );
    await city.source.query(
      `UPDATE alert_changes SET decided_at = decided_at - make_interval(mins => $2) WHERE alert_id = $1`,
      [alertId, minutes],
    );
  };

  /** The worker sweeps too: whoever fires, one ring at most has been. */
  const climb = () => ladders().climb();

  const states = async (caseId: string) => {
    const rings = await ladders().standing(await tools.alert(caseId));
    return rings.map(({ state }) => state);
  };

  const entries = (alertId: string, action: string) =>
    city.source.query<{ actor: string; detail: Record<string, unknown> }[]>(
      'SELECT actor, detail FROM audit_entries WHERE thing = $1 AND action = $2 ORDER BY seq',
      [`alert:${alertId}`, action],
    );

  it('fires each ring at its time, to those whom no wave holds, with the newest message', async () => {
    const { alertId, caseId, targeted } = await live();
    expect(targeted).toBe(40);
    await climb();
    expect(await states(caseId)).toEqual(['planned', 'planned', 'planned']);
    await pass(alertId, 31);
    await climb();
    await city.settled(alertId);
    expect(accepted(alertId)).toBe(70);
    expect(await states(caseId)).toEqual(['fired', 'planned', 'planned']);
    expect((await tools.alert(caseId)).area).toMatchObject({ radiusM: 20_000 });
    await pass(alertId, 30);
    await climb();
    await pass(alertId, 30);
    await climb();
    await climb();
    await city.settled(alertId);
    expect(accepted(alertId)).toBe(100);
    expect(city.simulator.alertStats(alertId).duplicates).toBe(0);
    expect(await states(caseId)).toEqual(['fired', 'fired', 'fired']);
    expect(await entries(alertId, 'alert.ring')).toMatchObject([
      { actor: 'system:ladder', detail: { radiusM: 20_000, afterMinutes: 30, targeted: 30 } },
      { actor: 'system:ladder', detail: { radiusM: 40_000 } },
      { actor: 'system:ladder', detail: { radiusM: 80_000 } },
    ]);
  });

  it('never fires two at once, whoever sweeps and whatever was missed', async () => {
    const { alertId, caseId } = await live();
    await pass(alertId, 600);
    await Promise.all([climb(), climb(), climb()]);
    expect(await states(caseId)).toEqual(['fired', 'planned', 'planned']);
    await pass(alertId, 29);
    await climb();
    expect(await states(caseId)).toEqual(['fired', 'planned', 'planned']);
    await pass(alertId, 1);
    await Promise.all([climb(), climb()]);
    expect(await states(caseId)).toEqual(['fired', 'fired', 'planned']);
  });

  it('fires none while held, and one by one after', async () => {
    const { alertId, caseId } = await live();
    await city.worker.get(Holds).hold(city.liaison, alertId, 'other');
    await pass(alertId, 600);
    await climb();
    expect(await states(caseId)).toEqual(['planned', 'planned', 'planned']);
    await tools.change(alertId, { kind: 'resume' });
    await climb();
    await climb();
    expect(await states(caseId)).toEqual(['fired', 'planned', 'planned']);
  });

  it('fires none once it is stopped, ended or over its time', async () => {
    const stopped = await live();
    const ended = await live();
    const over = await live();
    await city.worker.get(Holds).stop(city.liaison, stopped.alertId);
    await tools.end(ended.alertId);
    for (const { alertId } of [stopped, ended, over]) await pass(alertId, 600);
    await city.source.query(`UPDATE alerts SET expires_at = now() - interval '1 second' WHERE id = $1`, [over.alertId]);
    await climb();
    for (const { caseId } of [stopped, ended, over])
      expect(await states(caseId)).toEqual(['dropped', 'dropped', 'dropped']);
  });

  it('is ended by one officer at once, reviewed later, and planned anew by two', async () => {
    const { alertId, caseId } = await live();
    await pass(alertId, 31);
    await climb();
    await city.worker.get(Holds).endLadder(city.liaison, alertId);
    await city.worker.get(Holds).endLadder(city.verifier, alertId);
    expect(await tools.reviews(alertId)).toEqual([{ act: 'alert.ladder_end', officer: city.liaison.id }]);
    await pass(alertId, 600);
    await climb();
    expect(await states(caseId)).toEqual(['fired', 'dropped', 'dropped']);
    const again = (rings: Ladder['rings']) =>
      tools.propose(alertId, { kind: 'ladder', ladder: { confirm: false, rings } });
    await expect(again([{ radiusM: 20_000, afterMinutes: 60 }])).rejects.toMatchObject({ code: 'ladder_not_growing' });
    await expect(again([{ radiusM: 30_000, afterMinutes: 30 }])).rejects.toMatchObject({ code: 'ladder_not_growing' });
    const id = await again([{ radiusM: 45_000, afterMinutes: 45 }]);
    await expect(tools.approve(alertId, id, city.liaison)).rejects.toMatchObject({ code: 'forbidden' });
    expect((await tools.changes.look(second, alertId, id)).rings).toMatchObject([{ radiusM: 45_000 }]);
    await tools.approve(alertId, id);
    await climb();
    await city.settled(alertId);
    expect(await states(caseId)).toEqual(['fired', 'fired']);
    expect(accepted(alertId)).toBe(90);
  });

  it('asks ‘still missing?’ where it is to: one officer approves, one ring waits at a time', async () => {
    const { alertId, caseId } = await live({ ...LADDER, confirm: true });
    await pass(alertId, 600);
    await climb();
    await climb();
    expect(await states(caseId)).toEqual(['asked', 'planned', 'planned']);
    const [asked] = await tools.changes.list(city.verifier, alertId);
    expect(asked?.change).toMatchObject({ kind: 'ring', proposedBy: null, content: { radiusM: 20_000 } });
    expect(await tools.approve(alertId, asked?.change.id ?? '')).toEqual({ targeted: 30 });
    expect(await states(caseId)).toEqual(['fired', 'planned', 'planned']);
    await pass(alertId, 30);
    await climb();
    const [next] = await tools.changes.list(city.verifier, alertId);
    await tools.changes.reject(second, alertId, next?.change.id ?? '', 'found on a photo');
    expect(await states(caseId)).toEqual(['fired', 'declined', 'planned']);
    await pass(alertId, 30);
    await climb();
    expect(await states(caseId)).toEqual(['fired', 'declined', 'asked']);
    await city.worker.get(Holds).endLadder(city.verifier, alertId);
    expect((await tools.changes.list(city.verifier, alertId))[0]?.change.state).toBe('withdrawn');
    expect(await states(caseId)).toEqual(['fired', 'declined', 'dropped']);
  });

  it('asks again for a ring that a freezing took back', async () => {
    const { alertId, caseId } = await live({ ...LADDER, confirm: true });
    await pass(alertId, 31);
    await climb();
    await city.source.query(`UPDATE alert_changes SET state = 'withdrawn', decided_at = now() WHERE alert_id = $1`, [
      alertId,
    ]);
    expect(await states(caseId)).toEqual(['planned', 'planned', 'planned']);
    await climb();
    expect(await states(caseId)).toEqual(['asked', 'planned', 'planned']);
  });

  it('is part of what a verifier approves, and of what an approval of a change does', async () => {
    const id = await city.submit(makeSubmission({ ...near, ladder: LADDER }));
    const before = await city.versionOf(id);
    await city.source.query(
      `UPDATE alerts SET ladder = jsonb_set(ladder, '{confirm}', 'true') WHERE id IN (SELECT alert_id FROM alert_cases WHERE case_id = $1)`,
      [id],
    );
    expect(await city.versionOf(id)).not.toBe(before);
    const { alertId } = await live();
    const renewal = await tools.propose(alertId, { kind: 'renew', hours: 30 });
    const seen = await tools.versionOf(alertId, renewal);
    await city.worker.get(Holds).endLadder(city.liaison, alertId);
    expect(await tools.versionOf(alertId, renewal)).not.toBe(seen);
  });

  it('is the usual one unless another is given, and refuses what cannot be climbed', async () => {
    const ladderOf = async (alert: object) =>
      (await tools.alert(await city.submit(makeSubmission(alert)))).ladder.rings;
    expect(await ladderOf({ area: null })).toHaveLength(3);
    expect(await ladderOf({ area: { kind: 'circle', center: SHENZHEN, radiusM: 250_000 } })).toHaveLength(2);
    expect(await ladderOf({ area: null, tier: 'page_only' })).toEqual([]);
    const refused = (alert: object, ...rings: Ladder['rings']) =>
      expect(city.submit(makeSubmission({ ...alert, ladder: { confirm: false, rings } }))).rejects;
    const ring = { radiusM: 200_000, afterMinutes: 60 };
    await refused({ tier: 'page_only' }, ring).toMatchObject({ code: 'ladder_asks_nobody' });
    await refused({ hours: 1 }, ring).toMatchObject({ code: 'ladder_too_late' });
    await refused({}, ring, { ...ring, afterMinutes: 70 }).toMatchObject({ code: 'ladder_not_growing' });
  });

  it('climbs without asking anybody where the alert is practised, and states withheld once', async () => {
    const { alertId } = await live(LADDER);
    await city.source.query(`UPDATE alerts SET mode = 'exercise' WHERE id = $1`, [alertId]);
    await city.settled(alertId);
    await pass(alertId, 31);
    await climb();
    expect(accepted(alertId)).toBe(40);
    const muting = await live(LADDER);
    await city.source.query(
      `UPDATE positions SET muted_until = now() + interval '1 hour' WHERE device_id IN (SELECT device_id FROM positions ORDER BY lat DESC LIMIT 35)`,
    );
    for (let i = 0; i < 3; i++) {
      await pass(muting.alertId, 31);
      await climb();
      await city.worker.get(TopUp).run();
    }
    const [row] = await city.source.query<[{ targeted: number; muted: number }]>(
      `SELECT sum(targeted)::int AS targeted, sum((withheld->>'muted')::int)::int AS muted FROM waves WHERE alert_id = $1 AND audience = 'ring'`,
      [muting.alertId],
    );
    expect(row.targeted + row.muted).toBe(100);
  });
});
