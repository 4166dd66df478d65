import { Inject, Injectable } from '@nestjs/common';
import { LedgerOverview, Pacer, type ProviderStanding } from '#dispatch';
import { Metrics, Outbox } from '#platform';
import { PUSH_GATEWAY, type PushGateway } from '#push';

const BREAKER_STATES = ['closed', 'open', 'probing'] as const;

/**
 * How the ledger, the outbox and the quota stand. They are the same for all workers, and each tells them all the same: whichever is
 * asked, and whichever is gone. Add none of them up.
 */
@Injectable()
export class LedgerMetrics {
  constructor(
    metrics: Metrics,
    ledger: LedgerOverview,
    outbox: Outbox,
    pacer: Pacer,
    @Inject(PUSH_GATEWAY) { provider }: PushGateway,
  ) {
    readLedger(metrics, ledger);
    readOutbox(metrics, outbox);
    readPacer(metrics, () => pacer.breakerState(provider));
  }
}

function readLedger(metrics: Metrics, ledger: LedgerOverview): void {
  metrics.gauges('ledger', () => ledger.read(), [
    {
      name: 'golden72_unsettled_waves',
      help: 'Waves that are not settled.',
      labels: ['audience'],
      of: ({ open }) => open.map(({ audience, waves }) => [{ audience }, waves]),
    },
    {
      name: 'golden72_unsettled_recipients',
      help: 'Recipients without a result.',
      labels: ['audience'],
      of: ({ open }) => open.map(({ audience, recipients }) => [{ audience }, recipients]),
    },
    {
      name: 'golden72_unsettled_batches',
      help: 'Batches that are not settled.',
      labels: ['audience'],
      of: ({ open }) => open.map(({ audience, batches }) => [{ audience }, batches]),
    },
    {
      name: 'golden72_retried_batches',
      help: 'Unsettled batches that the provider was asked for before.',
      labels: ['audience'],
      of: ({ open }) => open.map(({ audience, retried }) => [{ audience }, retried]),
    },
    {
      name: 'golden72_dead_batches',
      help: 'Batches that were set aside for somebody to look at: their work always failed.',
      labels: ['audience'],
      of: ({ open }) => open.map(({ audience, dead }) => [{ audience }, dead]),
    },
    {
      name: 'golden72_due_seconds',
      help: 'How long the batch that is due longest has waited for a worker; 0 without any. What is held is not due.',
      labels: ['audience'],
      of: ({ open }) => open.map(({ audience, dueS }) => [{ audience }, dueS]),
    },
    {
      name: 'golden72_silent_lease_seconds',
      help: 'How long a lease has been run out and not taken back; 0 where none is.',
      of: ({ silentS }) => silentS,
    },
    {
      name: 'golden72_live_alerts',
      help: 'Live alerts, by why they are held; `no` is not at all.',
      labels: ['held'],
      of: ({ live }) => live.map(({ held, alerts }) => [{ held: held ?? 'no' }, alerts]),
    },
    {
      name: 'golden72_overdue_alert_seconds',
      help: 'How long an alert has been live beyond its expiry; 0 where none is.',
      of: ({ overdueS }) => overdueS,
    },
  ]);
}

function readOutbox(metrics: Metrics, outbox: Outbox): void {
  metrics.gauges('outbox', () => outbox.lag(), [
    {
      name: 'golden72_outbox_rows',
      help: 'Jobs promised and not yet handed to the queue, up to 10 000.',
      of: ({ rows }) => rows,
    },
    {
      name: 'golden72_outbox_oldest_seconds',
      help: 'How long the oldest of them has waited; 0 without any.',
      of: ({ oldestS }) => oldestS,
    },
  ]);
}

function readPacer(metrics: Metrics, read: () => Promise<ProviderStanding>): void {
  metrics.gauges('pacer', read, [
    {
      name: 'golden72_breaker',
      help: 'Whether the provider is asked (closed), left alone for it refuses (open), or tried by a few (probing).',
      labels: ['state'],
      of: ({ state }) => BREAKER_STATES.map((one) => [{ state: one }, Number(one === state)]),
    },
    {
      name: 'golden72_pacer_room',
      help: 'Messages that the quota has room for at once.',
      of: ({ room }) => room,
    },
  ]);
}
