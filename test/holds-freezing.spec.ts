import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type OfficerActor, type Role, Sessions } from '#access';
import { Freezing } from '#dispatch';
import { hashSecret, newSecret } from '#platform';
import { TestCity } from './harness/city.ts';
import { contended } from './harness/contended.ts';
import { makeActor, makeDevices, makeSubmission, scatter, SHENZHEN } from './harness/fixtures.ts';
import { LiveAlertTools } from './harness/live-alert.ts';
import { until } from './harness/until.ts';

const area = { kind: 'circle', center: SHENZHEN, radiusM: 10_000 } as const;
const QUIET = makeSubmission({ tier: 'page_only', area });

describe('freezing', () => {
  let city: TestCity;
  let tools: LiveAlertTools;
  let freezing: Freezing;
  let chief: OfficerActor;

  beforeAll(async () => {
    city = await TestCity.start({ phones: { openRate: 0 } }, { PUSH_QUOTA_PER_MINUTE: '12000' });
    tools = new LiveAlertTools(city);
    freezing = city.worker.get(Freezing);
    chief = await makeActor(city.source, city.liaison.agencyId, 'administrator');
  }, 60_000);

  afterAll(() => city?.close());

  beforeEach(async () => {
    await city.source.query('TRUNCATE devices CASCADE');
    await city.simulator.configure({ latencyMs: { min: 100, max: 300 } });
  });

  const officer = (...roles: Role[]) => makeActor(city.source, city.liaison.agencyId, ...roles);

  /** @returns the secret of a session that the officer holds */
  const signedIn = async ({ id }: OfficerActor): Promise<string> => {
    const secret = newSecret();
    await city.source.query(
      `INSERT INTO sessions (secret_hash, officer_id, expires_at) VALUES ($1, $2, now() + interval '1 hour')`,
      [hashSecret(secret), id],
    );
    return secret;
  };

  const release = async (liaison: OfficerActor, verifier: OfficerActor, submission = makeSubmission({ area })) => {
    const id = await tools.release.file(liaison, submission);
    await tools.release.submit(liaison, id);
    const released = await tools.release.verify(verifier, id, await city.versionOf(id));
    if (!released) throw new Error('no alert');
    return { ...released, caseId: id };
  };

  const underWay = async (liaison: OfficerActor, verifier: OfficerActor) => {
    const released = await release(liaison, verifier);
    await until('some are asked', () => city.simulator.alertStats(released.alertId).accepted > 100);
    return released;
  };

  it('ends an officer’s sessions and holds what they wrote, verified or changed, at once', async () => {
    await makeDevices(city.source, scatter(4000, SHENZHEN, 9_000));
    const [bad, honest] = [await officer('liaison', 'verifier'), await officer('liaison', 'verifier')];
    const secret = await signedIn(bad);
    const wrote = await underWay(bad, city.verifier);
    const verified = await underWay(city.liaison, bad);
    const changed = await release(city.liaison, city.verifier);
    await tools.approve(changed.alertId, await tools.propose(changed.alertId, { kind: 'renew', hours: 30 }), bad);
    const theirs = await release(honest, city.verifier, QUIET);
    const proposed = await tools.propose(theirs.alertId, { kind: 'renew', hours: 50 }, bad);
    await freezing.freezeOfficer(chief, bad.id);
    const committedAt = Date.now();
    await expect(city.worker.get(Sessions).actorOf(secret)).rejects.toMatchObject({ code: 'session_invalid' });
    for (const { alertId } of [wrote, verified, changed]) {
      expect(await tools.row(alertId)).toMatchObject({ state: 'live', heldReason: 'frozen' });
    }
    expect((await tools.row(theirs.alertId)).heldAt).toBeNull();
    await expect(tools.approve(theirs.alertId, proposed)).rejects.toThrow('cannot be approved');
    for (const { alertId, targeted } of [wrote, verified, changed]) {
      await until('no batch is leased', async () => (await tools.leased(alertId)) === 0);
      const { accepted, lastAcceptedAt } = city.simulator.alertStats(alertId);
      expect((lastAcceptedAt ?? 0) - committedAt).toBeLessThan(2_000);
      expect(accepted).toBeLessThan(targeted);
    }
    const reviews = await city.source.query<unknown[]>(
      'SELECT act, officer_id AS officer FROM reviews WHERE thing = $1',
      [`officer:${bad.id}`],
    );
    expect(reviews).toEqual([{ act: 'officer.freeze', officer: chief.id }]);
    await freezing.thawOfficer(chief, bad.id);
    expect((await tools.row(wrote.alertId)).heldReason).toBe('frozen');
  }, 60_000);

  it('ends an agency’s sessions and holds all that it is sending', async () => {
    await makeDevices(city.source, scatter(2000, SHENZHEN, 9_000));
    const { alertId } = await underWay(city.liaison, city.verifier);
    const secret = await signedIn(city.liaison);
    await freezing.freezeAgency(city.verifier, city.liaison.agencyId);
    await expect(city.worker.get(Sessions).actorOf(secret)).rejects.toMatchObject({ code: 'session_invalid' });
    expect(await tools.row(alertId)).toMatchObject({ state: 'live', heldReason: 'frozen' });
    // Whoever was inside when the door was shut does nothing more.
    await expect(tools.propose(alertId, { kind: 'resume' })).rejects.toMatchObject({ code: 'session_invalid' });
    const above = await makeActor(city.source, await tools.otherAgency(), 'administrator');
    const parent = { ...above, belowIds: [city.liaison.agencyId] };
    await freezing.thawAgency(parent, city.liaison.agencyId);
    expect((await tools.row(alertId)).heldReason).toBe('frozen');
    await tools.change(alertId, { kind: 'resume' });
    const sent = city.simulator.alertStats(alertId).accepted;
    await until('it goes on', () => city.simulator.alertStats(alertId).accepted > sent);
  }, 60_000);

  it('lets nobody freeze or thaw themselves, nor a stranger, nor a liaison anybody', async () => {
    await expect(freezing.freezeOfficer(chief, chief.id)).rejects.toMatchObject({ code: 'own_access' });
    await expect(freezing.freezeOfficer(city.liaison, chief.id)).rejects.toMatchObject({ code: 'forbidden' });
    const stranger = await makeActor(city.source, await tools.otherAgency(), 'administrator');
    await expect(freezing.freezeOfficer(stranger, chief.id)).rejects.toMatchObject({ code: 'officer_not_found' });
    await expect(freezing.freezeAgency(stranger, chief.agencyId)).rejects.toMatchObject({ code: 'agency_not_found' });
    const frozen = await officer('verifier');
    await freezing.freezeOfficer(chief, frozen.id);
    const stale = { ...chief, steppedUpAt: new Date(Date.now() - 3_600_000) };
    await expect(freezing.thawOfficer(stale, frozen.id)).rejects.toMatchObject({ code: 'step_up_required' });
    await expect(freezing.thawOfficer(city.verifier, frozen.id)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('catches a release that was under way: it is refused, or held', async () => {
    await makeDevices(city.source, scatter(50, SHENZHEN, 900));
    const bad = await officer('verifier');
    const id = await tools.release.file(city.liaison, makeSubmission({ area }));
    await tools.release.submit(city.liaison, id);
    const version = await city.versionOf(id);
    const lock = 'SELECT 1 FROM officers WHERE id = $1 FOR UPDATE';
    const [verified, frozen] = await contended(city.source, lock, bad.id, 2, () =>
      Promise.allSettled([tools.release.verify(bad, id, version), freezing.freezeOfficer(chief, bad.id)]),
    );
    expect(frozen.status).toBe('fulfilled');
    const { state, heldReason } = await tools.alert(id);
    if (verified.status === 'rejected') expect(verified.reason).toMatchObject({ code: 'session_invalid' });
    expect([state, heldReason]).toEqual(verified.status === 'rejected' ? ['proposed', null] : ['live', 'frozen']);
  });

  it('does not wait for an act of the frozen officer that waits for it', async () => {
    const bad = await officer('liaison', 'verifier');
    const { alertId, caseId } = await release(bad, city.verifier, QUIET);
    const race = async () => {
      const ending = tools.end(alertId, bad);
      await until('the ending waits', async () => (await tools.waiting()) > 0);
      return Promise.allSettled([ending, freezing.freezeOfficer(chief, bad.id)]);
    };
    const lock = 'SELECT 1 FROM cases WHERE id = $1 FOR UPDATE';
    const both = await contended(city.source, lock, caseId, 2, race);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  });
});
