import { Injectable } from '@nestjs/common';
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts';
import { Metrics } from './metrics.ts';

export interface NamedGroupCommitOptions<Item, Answer> extends GroupCommitOptions<Item, Answer> {
  /** What is written, for metrics. */
  readonly name: string;
}

/** Makes the group commits of this process, and knows how full they are. */
@Injectable()
export class GroupCommits {
  private readonly all = new Map<string, Pick<GroupCommit<unknown, unknown>, 'waiting' | 'fullness'>>();
  private readonly weights;
  private readonly seconds;
  private readonly refused;

  constructor(metrics: Metrics) {
    metrics.gauge(
      'golden72_group_commit_waiting',
      'Rows that wait for the next statement of a group commit.',
      ['commit'],
      () => [...this.all].map(([commit, { waiting }]) => [{ commit }, waiting]),
    );
    metrics.gauge(
      'golden72_group_commit_fullness',
      'What waits for a group commit, as a share of what may.',
      ['commit'],
      () => [...this.all].map(([commit, { fullness }]) => [{ commit }, fullness]),
    );
    this.weights = metrics.histogram(
      'golden72_group_commit_rows',
      'Rows that one statement wrote.',
      [1, 4, 16, 64, 256, 1024],
      ['commit'],
    );
    this.seconds = metrics.histogram(
      'golden72_group_commit_seconds',
      'How long the statement of a group and its commit took.',
      [0.002, 0.01, 0.05, 0.25, 1, 5],
      ['commit'],
    );
    this.refused = metrics.counter(
      'golden72_group_commit_refused_total',
      'Writes that were answered 503 overloaded, for too much waited.',
      ['commit'],
    );
  }

  of<Item, Answer>({ name, ...options }: NamedGroupCommitOptions<Item, Answer>): GroupCommit<Item, Answer> {
    const labels = { commit: name };
    this.refused.inc(labels, 0);
    const commit = new GroupCommit<Item, Answer>(options, {
      wrote: (weight, ms) => {
        this.weights.observe(labels, weight);
        this.seconds.observe(labels, ms / 1000);
      },
      refused: () => this.refused.inc(labels),
    });
    this.all.set(name, commit);
    return commit;
  }

  /** Of the fullest one: 1 is where writes are refused. */
  get fullness(): number {
    return Math.max(0, ...[...this.all.values()].map(({ fullness }) => fullness));
  }
}
