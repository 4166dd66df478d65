import { type Extent, type Grants, PRIVILEGES, type Process, PROCESSES, roleOf } from './privileges.ts';
import { scramVerifier } from './scram.ts';

/** Who runs statements: TypeORM's manager, in a transaction. */
export interface Database {
  query<Rows>(sql: string, parameters?: unknown[]): Promise<Rows>;
}

/** What a login may be called: nothing that needs quoting. */
const NAME = /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/;

/** ASCII without what a URL or a shell makes something else of. */
const PASSWORD = /^[\w.~-]{16,128}$/;

/**
 * Makes the group roles where they are missing, and gives each exactly its privileges in this database: earlier ones are taken
 * back. Again is no fault. As the owner of the tables, who may also create roles.
 * @throws Error naming a table that is not there.
 */
export async function grantRoles(tx: Database): Promise<string[]> {
  const roles = PROCESSES.map(roleOf);
  for (const role of roles) await makeGroup(tx, role);
  await withdraw(tx, roles);
  for (const process of PROCESSES) await allow(tx, process);
  return roles;
}

/**
 * Makes or renews the login that a process connects as.
 * @throws Error for a name or a password that is not usable.
 */
export async function makeLogin(tx: Database, process: Process, name: string, password: string): Promise<void> {
  if (!NAME.test(name)) throw new Error('A login has lower-case letters, digits and _, and does not begin with pg_');
  if (!PASSWORD.test(password)) throw new Error('A password has 16 to 128 letters, digits, . _ ~ -');
  const [known] = await tx.query<unknown[]>('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  await tx.query(
    `${known ? 'ALTER' : 'CREATE'} ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT
     PASSWORD '${scramVerifier(password)}'`,
  );
  await tx.query(`GRANT ${roleOf(process)} TO ${name}`);
}

async function makeGroup(tx: Database, role: string): Promise<void> {
  // Roles belong to the server, not to the database: somebody else may be making the same one.
  await tx.query(`
    DO $$ BEGIN
      CREATE ROLE ${role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$`);
}

/** Nobody has anything but the owner. */
async function withdraw(tx: Database, roles: readonly string[]): Promise<void> {
  const everybody = ['PUBLIC', ...roles].join(', ');
  const [{ name }] = await tx.query<[{ name: string }]>('SELECT quote_ident(current_database()) AS name');
  await tx.query(`REVOKE ALL ON DATABASE ${name} FROM ${everybody}`);
  await tx.query(`GRANT CONNECT ON DATABASE ${name} TO ${roles.join(', ')}`);
  await tx.query(`REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
  for (const schema of schemas()) {
    await tx.query(`REVOKE ALL ON SCHEMA ${schema} FROM ${roles.join(', ')}`);
    await tx.query(`REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${schema} FROM ${roles.join(', ')}`);
  }
  for (const table of await existing(tx)) {
    await tx.query(`REVOKE ALL ON ${table} FROM ${everybody}`);
    // The right to a column outlives the loss of the table's.
    for (const role of roles) await withdrawColumns(tx, table, role);
  }
}

async function withdrawColumns(tx: Database, table: string, role: string): Promise<void> {
  const rows = await tx.query<{ columns: string | null; verb: string }[]>(
    `SELECT string_agg(quote_ident(column_name), ', ') AS columns, privilege_type AS verb
     FROM information_schema.column_privileges
     WHERE grantee = $1 AND (table_schema || '.' || table_name) = $2 GROUP BY privilege_type`,
    [role, table],
  );
  for (const { columns, verb } of rows) await tx.query(`REVOKE ${verb} (${columns}) ON ${table} FROM ${role}`);
}

async function allow(tx: Database, process: Process): Promise<void> {
  const role = roleOf(process);
  const tables = await existing(tx);
  const granted = Object.entries(PRIVILEGES).flatMap(([table, by]) =>
    by[process] ? [[table, by[process]] as const] : [],
  );
  const missing = granted.find(([table]) => !tables.includes(table));
  if (missing) throw new Error(`${missing[0]} is not there: apply the migrations first`);
  for (const schema of new Set(granted.map(([table]) => schemaOf(table)))) {
    await tx.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
  }
  for (const [table, grants] of granted) await tx.query(`GRANT ${rights(grants)} ON ${table} TO ${role}`);
}

function rights(grants: Grants): string {
  const entries = Object.entries<Extent>(grants);
  return entries.map(([verb, extent]) => (extent === true ? verb : `${verb} (${extent.join(', ')})`)).join(', ');
}

const schemaOf = (table: string) => table.split('.', 1)[0] ?? '';
const schemas = () => [...new Set(Object.keys(PRIVILEGES).map(schemaOf))];

/** Our tables and views; not those of extensions. */
async function existing(tx: Database): Promise<string[]> {
  const rows = await tx.query<{ name: string }[]>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`,
    [schemas()],
  );
  return rows.map(({ name }) => name);
}
