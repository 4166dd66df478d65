import { DeadLetters, DispatchModule } from '#dispatch';
import { act, withServices } from './context.ts';
import { CommandError, type Io, type Result, type Row } from './io.ts';

export interface RetryOptions {
  readonly all?: true;
}

/** Lists batches that were set aside, oldest first. */
export function listDead(io: Io): Promise<Result> {
  return withServices(
    io,
    async (services) => {
      const letters = await services.get(DeadLetters).list();
      const dead = letters.map(({ batchId, alertId, pending, reason, since }) => ({
        ...{ batch: `${batchId}`, alert: alertId, pending: `${pending}`, reason, since: since.toISOString() },
      }));
      return { dead };
    },
    [DispatchModule],
  );
}

/** Has one of them tried again, or all; tells of each why not. */
export function retryDead(io: Io, batch: number | undefined, { all }: RetryOptions): Promise<Result> {
  if ((batch === undefined) !== (all === true)) throw new CommandError('name a batch, or say --all');
  return withServices(
    io,
    async (services) => {
      const letters = services.get(DeadLetters);
      const ids = batch === undefined ? (await letters.list()).map(({ batchId }) => batchId) : [batch];
      const batches: Row[] = [];
      for (const id of ids) {
        const outcome = await act(services, async ({ tx }) => {
          const retried = await letters.retry(tx, id);
          if (!retried) throw new CommandError(`there is no batch ${id}`);
          const { agencyId, alertId, outcome: result } = retried;
          const record = {
            agencyId,
            action: 'batch.retry',
            thing: `alert:${alertId}`,
            detail: { batch: id, outcome: result },
          };
          return { result, record };
        });
        batches.push({ batch: `${id}`, outcome });
      }
      return { batches };
    },
    [DispatchModule],
  );
}
