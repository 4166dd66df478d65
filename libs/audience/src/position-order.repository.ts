import type { DataSource, QueryRunner } from 'typeorm';

/** Where the ordered copy grows; nothing else is ever in it, and there is none while nobody reorders. */
const ROOM = 'positions_reorder';

/** Windows of positions that follow one another in cell order, by which the order of the pages is told. */
const WINDOWS = { count: 100, rows: 2_000 };

export interface Orderliness {
  readonly rows: number;
  readonly pages: number;
  /** Pages that hold positions which follow one another in cell order, against how many they would fill: 1 is the best. */
  readonly spread: number;
}

/** The last position copied: in the order of cells, then those that are nowhere, by device. */
export interface Copied {
  readonly cell: string | null;
  readonly deviceId: string;
}

/** Ordered copies of `positions` and what must happen to put one in its place. Statements name nothing that a caller chooses. */
export class PositionOrderRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Any number that other programs on the same database do not use as an advisory lock. */
  async lock(holder: QueryRunner): Promise<boolean> {
    const [row] = (await holder.query('SELECT pg_try_advisory_lock(727200002) AS mine')) as [{ mine: boolean }];
    return row.mine;
  }

  async orderliness(): Promise<Orderliness> {
    // How many rows a page has is estimated, and -1 where nobody has looked yet.
    const [known] = await this.dataSource.query<[{ known: boolean }]>(
      `SELECT reltuples > 0 AS known FROM pg_class WHERE oid = 'public.positions'::regclass`,
    );
    if (!known.known) await this.dataSource.query('ANALYZE public.positions');
    const [row] = await this.dataSource.query<[Orderliness]>(
      `WITH whole AS (
         SELECT greatest(reltuples, 0)::float8 AS rows, pg_relation_size(oid) / current_setting('block_size')::int AS pages
         FROM pg_class WHERE oid = 'public.positions'::regclass
       ), page AS (
         SELECT DISTINCT trunc(random() * whole.pages)::bigint AS n FROM whole, generate_series(1, 4 * $1::int)
       ), start AS (
         -- One position of each page: tuple ids are read directly, so that a table of any size is asked alike.
         SELECT p.cell FROM page JOIN positions p ON p.ctid = format('(%s,1)', page.n)::tid
         WHERE p.cell IS NOT NULL ORDER BY random() LIMIT $1::int
       ), used AS (
         SELECT count(DISTINCT (near.ctid::text::point)[0]) AS pages, count(*) AS rows
         FROM start, LATERAL (SELECT ctid FROM positions WHERE cell >= start.cell ORDER BY cell LIMIT $2::int) near
         GROUP BY start.cell
       )
       SELECT whole.rows, whole.pages,
         coalesce((SELECT sum(used.pages) / sum(used.rows / (whole.rows / nullif(whole.pages, 0))) FROM used WHERE used.rows = $2::int), 1)
           ::float8 AS spread
       FROM whole`,
      [WINDOWS.count, WINDOWS.rows],
    );
    return row;
  }

  /** What stands on `positions` that an ordered copy would not have; empty when nothing does. */
  async strangers(): Promise<string[]> {
    const rows = await this.dataSource.query<{ what: string }[]>(
      `SELECT 'trigger ' || tgname AS what FROM pg_trigger
         WHERE tgrelid = 'public.positions'::regclass AND NOT tgisinternal AND tgname NOT LIKE '${ROOM}%'
       UNION ALL SELECT 'foreign key ' || conname || ' of ' || conrelid::regclass FROM pg_constraint
         WHERE confrelid = 'public.positions'::regclass
       UNION ALL SELECT 'policy ' || polname FROM pg_policy WHERE polrelid = 'public.positions'::regclass
       UNION ALL SELECT DISTINCT 'view ' || ev_class::regclass FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid
         WHERE d.refobjid = 'public.positions'::regclass AND d.classid = 'pg_rewrite'::regclass
       UNION ALL SELECT 'sequence ' || objid::regclass FROM pg_depend
         WHERE refobjid = 'public.positions'::regclass AND deptype IN ('a', 'i') AND refobjsubid > 0
           AND classid = 'pg_class'::regclass AND objid IN (SELECT oid FROM pg_class WHERE relkind = 'S')
       UNION ALL SELECT 'publication ' || pubname FROM pg_publication_tables
         WHERE schemaname = 'public' AND tablename = 'positions'`,
    );
    return rows.map(({ what }) => what);
  }

  async isBegun(): Promise<boolean> {
    const [row] = await this.dataSource.query<[{ begun: boolean }]>(
      `SELECT to_regnamespace('${ROOM}') IS NOT NULL AS begun`,
    );
    return row.begun;
  }

  /**
   * Makes an empty copy and begins to note which devices' positions change. Every change that the copy could miss is noted,
   * for the triggers' lock waits for all that write at that moment.
   */
  async begin(lockMs: number): Promise<void> {
    await this.bounded(lockMs, async (tx) => {
      const [{ options }] = (await tx.query(
        `SELECT array_to_string(reloptions, ', ') AS options FROM pg_class WHERE oid = 'public.positions'::regclass`,
      )) as [{ options: string | null }];
      await tx.query(`CREATE SCHEMA ${ROOM}`);
      await tx.query(
        `CREATE TABLE ${ROOM}.positions (LIKE public.positions INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)
         ${options === null ? '' : `WITH (${options})`}`,
      );
      const definitions = (await tx.query(
        `SELECT format('ALTER TABLE ${ROOM}.positions ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS sql
         FROM pg_constraint WHERE conrelid = 'public.positions'::regclass AND contype = 'p'`,
      )) as { sql: string }[];
      for (const { sql } of definitions) await tx.query(sql);
      await tx.query(`ALTER TABLE ${ROOM}.positions SET (autovacuum_enabled = false)`);
      await tx.query(
        `CREATE TABLE ${ROOM}.touched (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device_id bigint NOT NULL)`,
      );
      await tx.query(`CREATE TABLE ${ROOM}.copied (cell bigint, device_id bigint NOT NULL, whole boolean NOT NULL)`);
      await tx.query(`INSERT INTO ${ROOM}.copied VALUES (-9223372036854775808, 0, false)`);
      // As the owner: the processes that write positions may write nowhere else here.
      await tx.query(
        `CREATE FUNCTION ${ROOM}.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
         BEGIN INSERT INTO ${ROOM}.touched (device_id) SELECT device_id FROM changed; RETURN NULL; END $$`,
      );
      for (const [verb, rows] of [
        ['INSERT', 'NEW'],
        ['UPDATE', 'NEW'],
        ['DELETE', 'OLD'],
      ] as const) {
        await tx.query(
          `CREATE TRIGGER ${ROOM}_${verb.toLowerCase()} AFTER ${verb} ON public.positions
           REFERENCING ${rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ${ROOM}.note()`,
        );
      }
    });
  }

  /** @returns the last position copied, or null when all are */
  async copied(): Promise<Copied | null> {
    const [row] = await this.dataSource.query<[{ cell: string | null; device_id: string; whole: boolean }]>(
      `SELECT cell::text, device_id::text, whole FROM ${ROOM}.copied`,
    );
    return row.whole ? null : { cell: row.cell, deviceId: row.device_id };
  }

  /**
   * Copies the next positions in order and takes down how far it came. A device that moved behind its own copy is there already;
   * what it is now follows by its note. @returns how many were read
   */
  async copy({ cell, deviceId }: Copied, rows: number): Promise<number> {
    const [after, order] =
      cell === null
        ? ['cell IS NULL AND $1::bigint IS NULL AND device_id > $2::bigint', 'device_id']
        : ['cell >= $1::bigint AND (cell, device_id) > ($1::bigint, $2::bigint)', 'cell, device_id'];
    const [row] = await this.dataSource.query<[{ rows: number }]>(
      `WITH piece AS MATERIALIZED (SELECT * FROM public.positions WHERE ${after} ORDER BY ${order} LIMIT $3::int),
       stored AS (INSERT INTO ${ROOM}.positions SELECT * FROM piece ORDER BY ${order} ON CONFLICT (device_id) DO NOTHING),
       last AS (SELECT cell, device_id FROM piece ORDER BY cell DESC, device_id DESC LIMIT 1),
       noted AS (UPDATE ${ROOM}.copied SET cell = last.cell, device_id = last.device_id FROM last)
       SELECT count(*) AS rows FROM piece`,
      [cell, deviceId, rows],
    );
    return row.rows;
  }

  /** All that are somewhere are copied: those that are nowhere are next. */
  async turnToNowhere(): Promise<void> {
    await this.dataSource.query(`UPDATE ${ROOM}.copied SET cell = NULL, device_id = 0`);
  }

  async allCopied(): Promise<void> {
    await this.dataSource.query(`UPDATE ${ROOM}.copied SET whole = true`);
  }

  /** Gives the copy the indexes that it lacks, and statistics. */
  async index(): Promise<void> {
    const definitions = await this.dataSource.query<{ sql: string }[]>(
      `SELECT replace(pg_get_indexdef(i.indexrelid), ' ON public.positions ', ' ON ${ROOM}.positions ') AS sql
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
       WHERE i.indrelid = 'public.positions'::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)
         AND to_regclass('${ROOM}.' || quote_ident(c.relname)) IS NULL`,
    );
    for (const { sql } of definitions) await this.dataSource.query(sql);
    await this.dataSource.query(`VACUUM (ANALYZE) ${ROOM}.positions`);
  }

  /** Notes not yet taken into the copy, counted no further than `most`. */
  async backlog(most: number): Promise<number> {
    const [row] = await this.dataSource.query<[{ notes: number }]>(
      `SELECT count(*) AS notes FROM (SELECT FROM ${ROOM}.touched LIMIT $1) few`,
      [most],
    );
    return row.notes;
  }

  /** Takes so many notes into the copy. */
  catchUp(notes: number): Promise<void> {
    return this.dataSource.transaction((tx) => takeNotes(tx, notes));
  }

  /**
   * Puts the copy in the table's place: at one moment nobody reads or writes positions or devices, for as long as the last notes take.
   * @returns false when it was not done, for there were more than `most` notes
   */
  swap(lockMs: number, most: number): Promise<boolean> {
    return this.bounded(lockMs, async (tx) => {
      // In the order in which deleting a device locks them.
      await tx.query('LOCK TABLE public.devices IN ACCESS EXCLUSIVE MODE');
      await tx.query('LOCK TABLE public.positions IN ACCESS EXCLUSIVE MODE');
      const [{ notes }] = (await tx.query(
        `SELECT count(*) AS notes FROM (SELECT FROM ${ROOM}.touched LIMIT $1::int + 1) few`,
        [most],
      )) as [{ notes: number }];
      if (notes > most) return false;
      await takeNotes(tx, most);
      const statements = (await tx.query(
        `SELECT format('ALTER TABLE ${ROOM}.positions OWNER TO %I', pg_get_userbyid(relowner)) AS sql
         FROM pg_class WHERE oid = 'public.positions'::regclass
         UNION ALL SELECT format('ALTER TABLE ${ROOM}.positions ADD CONSTRAINT %I %s NOT VALID', conname,
             replace(pg_get_constraintdef(oid), ' NOT VALID', ''))
         FROM pg_constraint WHERE conrelid = 'public.positions'::regclass AND contype = 'f'
         UNION ALL SELECT format('GRANT %s ON ${ROOM}.positions TO %s', a.privilege_type,
             CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
         FROM pg_class, aclexplode(relacl) a WHERE oid = 'public.positions'::regclass AND a.grantee <> relowner
         UNION ALL SELECT format('GRANT %s (%I) ON ${ROOM}.positions TO %s', a.privilege_type, attname,
             CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
         FROM pg_attribute, aclexplode(attacl) a WHERE attrelid = 'public.positions'::regclass`,
      )) as { sql: string }[];
      for (const { sql } of statements) await tx.query(sql);
      await tx.query('DROP TABLE public.positions');
      await tx.query(`ALTER TABLE ${ROOM}.positions SET SCHEMA public`);
      await tx.query('ALTER TABLE public.positions RESET (autovacuum_enabled)');
      await tx.query(`DROP SCHEMA ${ROOM} CASCADE`);
      return true;
    });
  }

  /** Checks what the swap took on trust; nobody waits for it. */
  async validate(): Promise<void> {
    const statements = await this.dataSource.query<{ sql: string }[]>(
      `SELECT format('ALTER TABLE public.positions VALIDATE CONSTRAINT %I', conname) AS sql FROM pg_constraint
       WHERE conrelid = 'public.positions'::regclass AND NOT convalidated`,
    );
    for (const { sql } of statements) await this.dataSource.query(sql);
  }

  /** Leaves everything as it was before {@link begin}. */
  async abandon(lockMs: number): Promise<void> {
    await this.bounded(lockMs, async (tx) => {
      for (const verb of ['insert', 'update', 'delete']) {
        await tx.query(`DROP TRIGGER IF EXISTS ${ROOM}_${verb} ON public.positions`);
      }
      await tx.query(`DROP SCHEMA IF EXISTS ${ROOM} CASCADE`);
    });
  }

  private bounded<Result>(lockMs: number, work: (tx: Pick<QueryRunner, 'query'>) => Promise<Result>): Promise<Result> {
    return this.dataSource.transaction(async (tx) => {
      await tx.query(`SELECT set_config('lock_timeout', $1, true)`, [`${lockMs}ms`]);
      return work(tx);
    });
  }
}

/** A note that is seen was committed with its change; a change that is not seen yet brings a note of its own. */
async function takeNotes(tx: { query(sql: string, parameters: unknown[]): Promise<unknown> }, notes: number) {
  const [row] = (await tx.query(
    `WITH gone AS (
       DELETE FROM ${ROOM}.touched WHERE seq IN (SELECT seq FROM ${ROOM}.touched ORDER BY seq LIMIT $1) RETURNING device_id
     ) SELECT array_agg(DISTINCT device_id) AS ids FROM gone`,
    [notes],
  )) as [{ ids: string[] | null }];
  if (row.ids === null) return;
  await tx.query(`DELETE FROM ${ROOM}.positions WHERE device_id = ANY ($1::bigint[])`, [row.ids]);
  await tx.query(
    `INSERT INTO ${ROOM}.positions SELECT * FROM public.positions WHERE device_id = ANY ($1::bigint[]) ORDER BY cell`,
    [row.ids],
  );
}
