import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { waveUnder } from './wave-fault.ts';

const CUTS = 3;
const BETWEEN_CUTS_MS = 1_000;
const FULL_MS = 8_000;

export const postgres: readonly Scenario[] = [
  waveUnder({
    name: 'postgres-restarted',
    breaks: 'PostgreSQL is shut down at once (SIGQUIT), as by a loss of power, and started again',
    short: true,
    halts: true,
    strike: async (stage, _wave, broken) => {
      const sessions = await sessionsOf(stage);
      await stage.run.servers.crashPostgres();
      broken();
      await stage.run.servers.startPostgres();
      return sessions > 0;
    },
  }),
  waveUnder({
    name: 'postgres-connections-cut',
    breaks: 'every connection to PostgreSQL is cut, three times within three seconds',
    strike: async (stage, _wave, broken) => {
      let cut = 0;
      for (let n = 0; n < CUTS; n++) {
        cut += await cutSessions(stage);
        broken();
        await stage.last(BETWEEN_CUTS_MS);
      }
      return cut > CUTS;
    },
  }),
  waveUnder({
    name: 'postgres-disk-full',
    breaks: 'PostgreSQL refuses every write to the batches for 8 s: SQLSTATE 53100, the disk is full',
    halts: true,
    strike: async (stage, _wave, broken) => {
      await fillDisk(stage);
      broken();
      await stage.last(FULL_MS);
      return (await freeDisk(stage)) > 0;
    },
  }),
];

async function sessionsOf(stage: Stage): Promise<number> {
  const rows = await stage.run.servers.ask(`SELECT 1 FROM pg_stat_activity WHERE datname = '${stage.database}'`);
  return rows.length;
}

async function cutSessions(stage: Stage): Promise<number> {
  const cut = await stage.run.servers.ask(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${stage.database}'`,
  );
  return cut.length;
}

/** Refusals are counted by a sequence, for what it has counted is not rolled back with what was refused. */
async function fillDisk(stage: Stage): Promise<void> {
  await stage.ledger.query('CREATE SEQUENCE chaos_refused MINVALUE 0 START 0');
  await stage.ledger.query(`
    CREATE FUNCTION chaos_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM nextval('chaos_refused');
      RAISE EXCEPTION 'could not extend file: no space left on device' USING ERRCODE = '53100';
    END $$`);
  await stage.ledger.query(`
    CREATE TRIGGER chaos_refuse BEFORE UPDATE ON batches FOR EACH STATEMENT EXECUTE FUNCTION chaos_refuse()`);
}

/** @returns how many writes were refused */
async function freeDisk(stage: Stage): Promise<number> {
  await stage.ledger.query('DROP TRIGGER chaos_refuse ON batches');
  const [row] = await stage.ledger.query<{ refused: number }>('SELECT nextval($1)::int AS refused', ['chaos_refused']);
  await stage.ledger.query('DROP FUNCTION chaos_refuse');
  await stage.ledger.query('DROP SEQUENCE chaos_refused');
  return row?.refused ?? 0;
}
