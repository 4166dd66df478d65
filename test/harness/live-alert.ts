import type { OfficerActor } from '#access';
import { type Alert, Alerts, type Approved, Changes, Ending, PhotoDown, type ProposedChange, Release } from '#dispatch';
import type { TestCity } from './city.ts';
import { makeActor, seedAgency } from './fixtures.ts';

/** What tests do to a live alert and ask of it. */
export class LiveAlertTools {
  constructor(private readonly city: TestCity) {}

  get changes(): Changes {
    return this.city.worker.get(Changes);
  }

  get release(): Release {
    return this.city.worker.get(Release);
  }

  /** By the liaison, unless somebody else does. @returns the change's id */
  propose(alertId: string, change: ProposedChange, by: OfficerActor = this.city.liaison): Promise<string> {
    return this.changes.propose(by, alertId, change);
  }

  /** What an approval would have to name now. */
  async versionOf(alertId: string, changeId: string): Promise<string> {
    const all = await this.changes.list(this.city.verifier, alertId);
    const version = all.find(({ change }) => change.id === changeId)?.version;
    if (!version) throw new Error('the change cannot be approved');
    return version;
  }

  /** By the verifier, unless somebody else does. */
  async approve(alertId: string, changeId: string, by: OfficerActor = this.city.verifier): Promise<Approved> {
    return this.changes.approve(by, alertId, changeId, await this.versionOf(alertId, changeId));
  }

  /** Proposes and approves. */
  async change(alertId: string, change: ProposedChange): Promise<Approved> {
    return this.approve(alertId, await this.propose(alertId, change));
  }

  end(alertId: string, by: OfficerActor = this.city.liaison): Promise<void> {
    const found = { kind: 'found', ending: 'ended', familyTold: false, outcome: 'safe', cause: 'none' } as const;
    return this.city.worker.get(Ending).end(by, alertId, found);
  }

  photoDown(by: OfficerActor, alertId: string, wrong: boolean): Promise<void> {
    return this.city.worker.get(PhotoDown).take(by, alertId, wrong);
  }

  async alert(caseId: string): Promise<Alert> {
    const found = await this.city.worker.get(Alerts).ofCase(caseId);
    if (!found) throw new Error('no alert');
    return found.alert;
  }

  async row(
    alertId: string,
  ): Promise<{ state: string; epoch: number; heldAt: Date | null; heldReason: string | null }> {
    const [row] = await this.city.source.query<
      [{ state: string; epoch: number; heldAt: Date | null; heldReason: string | null }]
    >('SELECT state, epoch, held_at AS "heldAt", held_reason AS "heldReason" FROM alerts WHERE id = $1', [alertId]);
    return row;
  }

  async leased(alertId: string): Promise<number> {
    const [row] = await this.city.source.query<[{ leased: number }]>(
      `SELECT count(*) AS leased FROM batches WHERE alert_id = $1 AND state = 'leased'`,
      [alertId],
    );
    return row.leased;
  }

  /** Transactions that wait for a row. */
  async waiting(): Promise<number> {
    const [row] = await this.city.source.query<[{ waiting: number }]>(
      `SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return row.waiting;
  }

  /** Acts on the alert that wait for review, oldest first. */
  reviews(alertId: string): Promise<{ act: string; officer: string | null }[]> {
    return this.city.source.query(
      'SELECT act, officer_id AS officer FROM reviews WHERE thing = $1 ORDER BY created_at',
      [`alert:${alertId}`],
    );
  }

  otherAgency(): Promise<string> {
    return seedAgency(this.city.source);
  }

  verifier(): Promise<OfficerActor> {
    return makeActor(this.city.source, this.city.liaison.agencyId, 'verifier');
  }
}
