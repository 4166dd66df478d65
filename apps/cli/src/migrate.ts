import { DataSource, MigrationExecutor } from 'typeorm';
import { databaseOptions } from '#platform';
import { MIGRATIONS } from '../../../migrations/index.ts';
import { type Io, settings } from './io.ts';

/** Any number that other programs on the same database do not use as an advisory lock. */
const LOCK = 727_200_001;

type MigrationReport = Record<'applied' | 'pending', readonly string[]>;

/** Applies what is pending; several at the same time wait for one another. */
export function up(io: Io): Promise<MigrationReport> {
  return withDatabase(io, async (database) => {
    await database.runMigrations({ transaction: 'all' });
    return report(database);
  });
}

/** Takes the newest migration back, with what its tables hold. */
export function down(io: Io): Promise<MigrationReport> {
  return withDatabase(io, async (database) => {
    await database.undoLastMigration({ transaction: 'all' });
    return report(database);
  });
}

export function status(io: Io): Promise<MigrationReport> {
  return withDatabase(io, report);
}

async function report(database: DataSource): Promise<MigrationReport> {
  const executor = new MigrationExecutor(database);
  const pending = (await executor.getPendingMigrations()).map(({ name }) => name);
  const applied = (await executor.getExecutedMigrations()).map(({ name }) => name);
  return { applied, pending };
}

async function withDatabase<Result>(io: Io, work: (database: DataSource) => Promise<Result>): Promise<Result> {
  const options = databaseOptions(settings(io), 'golden72-migrate');
  // No statement time-out: an index on a grown table takes as long as it takes.
  const database = new DataSource({ ...options, extra: { max: 2 }, migrations: MIGRATIONS });
  await database.initialize();
  const holder = database.createQueryRunner();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [LOCK]);
    return await work(database);
  } finally {
    await holder.release();
    await database.destroy();
  }
}
