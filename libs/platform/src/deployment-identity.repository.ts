import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/**
 * How the database at hand stands to the one that the deployment was last in: the `same`; none yet (`new`); that one as its
 * standby goes on with it (`promoted`); or what was made of a copy of it (`restored`).
 */
export type Standing = 'same' | 'new' | 'promoted' | 'restored';

/** A promoted standby goes on this soon, in seconds; a copy of an older moment does not. */
const FAILOVER_SECONDS = 60;

/** The cluster; the database in it; the table itself, for a database may be emptied and filled again. */
const HERE = `(SELECT system_identifier FROM pg_control_system()),
  (SELECT oid FROM pg_database WHERE datname = current_database()), i.tableoid`;

/** Which history of the cluster is being written: its names for pieces of the log begin with it. */
const TIMELINE = `('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int`;

const IN_PLACE = `(i.system_identifier, i.database_oid, i.table_oid) = (${HERE})`;

const SAME = `${IN_PLACE} AND i.timeline = ${TIMELINE}`;

/** SQL that is true in the database that the deployment is known to be in, or where none is known yet: only there may be sent. */
export const IN_ITS_DATABASE = `EXISTS (SELECT FROM deployment_identity i WHERE i.database_oid IS NULL OR ${SAME})`;

@Injectable()
export class DeploymentIdentityRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Notes that somebody swept just now. @returns whether this is the database that was swept before */
  async beat(): Promise<boolean> {
    const [, updated] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE deployment_identity i SET swept_at = clock_timestamp() WHERE ${SAME}`,
    );
    return updated === 1;
  }

  /** Holds the row until the transaction ends. @returns null when there is none */
  async lock(tx: EntityManager): Promise<Standing | null> {
    await tx.query('SELECT FROM deployment_identity FOR UPDATE');
    // A statement of its own: it sees what whoever held the row before has made of it.
    const rows = await tx.query<{ standing: Standing }[]>(
      `SELECT CASE WHEN i.database_oid IS NULL THEN 'new' WHEN ${SAME} THEN 'same'
         WHEN ${IN_PLACE} AND i.timeline < ${TIMELINE}
           AND i.swept_at > clock_timestamp() - make_interval(secs => ${FAILOVER_SECONDS}) THEN 'promoted'
         ELSE 'restored' END AS standing
       FROM deployment_identity i`,
    );
    return rows[0]?.standing ?? null;
  }

  /** From now on the deployment is in this database. */
  async settle(tx: EntityManager): Promise<void> {
    await tx.query(
      `UPDATE deployment_identity i SET (system_identifier, database_oid, table_oid) = (SELECT ${HERE}),
         timeline = ${TIMELINE}, swept_at = clock_timestamp()`,
    );
  }
}
