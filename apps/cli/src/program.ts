import { randomBytes } from 'node:crypto';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { LOGIN, NEIGHBOUR_POLICIES, type Role, ROLES } from '#access';
import { isRefusal, isUnavailable } from '#platform';
import {
  type AgencyOptions,
  type AgencySettings,
  createAgency,
  listAgencies,
  setAgency,
  thawAgency,
} from './agency.ts';
import { type AgencyKeyOptions, createAgencyKey, revokeAgencyKey } from './agency-key.ts';
import { addBackup } from './backup/backup-commands.ts';
import { addAudit, FaultsFound } from './audit-commands.ts';
import {
  type IdentityProviderOptions,
  linkOfficer,
  type LinkOptions,
  removeIdentityProvider,
  setIdentityProvider,
  unlinkOfficer,
} from './identity-provider.ts';
import { listDead, retryDead, type RetryOptions } from './batches.ts';
import { type LoginOptions, setLogin, setRoles } from './database-roles.ts';
import { CommandError, type Io, type Result, tell, type Told } from './io.ts';
import * as migrate from './migrate.ts';
import * as positions from './positions.ts';
import {
  createOfficer,
  disableOfficer,
  inviteOfficer,
  listOfficers,
  type OfficerOptions,
  thawOfficer,
} from './officer.ts';

/** Exit codes: done, refused or failed, called wrongly. */
const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/**
 * Runs one command line, without the program's own name.
 * @returns the exit code: 0 done, 1 refused or failed, 2 called wrongly.
 */
export async function run(io: Io, args: readonly string[]): Promise<number> {
  const program = build(io);
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof FaultsFound) return EXIT.failed;
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    explain(io, Boolean(program.opts()['json']), error);
    return EXIT.failed;
  }
}

function build(io: Io): Command {
  const program = new Command('golden72')
    .description('Sets a deployment of Golden72 up. Settings come from the environment.')
    .option('--json', 'print one JSON object')
    .exitOverride()
    .configureOutput({ writeOut: (words) => io.out(words.trimEnd()), writeErr: (words) => io.error(words.trimEnd()) });
  const told =
    <Args extends unknown[]>(command: (io: Io, ...args: Args) => Promise<Result>) =>
    async (...args: Args) =>
      tell(io, Boolean(program.opts()['json']), await command(io, ...args));
  addMigrate(program.command('migrate').description('the schema of the database'), told);
  addDatabase(program.command('database').description('who may do what in the database'), told);
  addPositions(
    program.command('positions').description('the order of the positions’ pages, by which audiences are fast'),
    told,
  );
  addBackup(program, told);
  addBatches(program.command('batches').description('pieces of waves that were set aside'), told);
  addAgency(program.command('agency').description('police authorities'), told);
  addOfficer(program.command('officer').description('staff of an agency'), told);
  addAgencyKey(program.command('agency-key').description('keys by which other police systems post cases'), told);
  addIdentityProvider(
    program.command('identity-provider').description('OpenID Connect for an agency’s officers'),
    told,
  );
  const json = () => Boolean(program.opts()['json']);
  addAudit(program.command('audit').description('who did what: check it, hand it out'), io, json);
  program
    .command('secret-key')
    .description('make a SECRET_KEY for a deployment')
    .action(told(async () => ({ SECRET_KEY: randomBytes(32).toString('base64') })));
  return program;
}

function addMigrate(migrations: Command, told: Told): void {
  migrations.command('up').description('apply what is pending').action(told(migrate.up));
  migrations.command('down').description('take the newest back, with its data').action(told(migrate.down));
  migrations.command('status').description('list what is applied and what is pending').action(told(migrate.status));
}

function addDatabase(database: Command, told: Told): void {
  database
    .command('roles')
    .description(
      'make the roles golden72_api, _worker and _public and give each its privileges; again after each migration',
    )
    .action(told(setRoles));
  database
    .command('login <process>')
    .description('make or renew the login as which a process (api, worker or public) connects')
    .requiredOption('--name <name>', 'lower-case letters, digits and _')
    .requiredOption('--password-file <file>', '- for standard input')
    .action(told((io, process: string, options: LoginOptions) => setLogin(io, process, options)));
}

function addPositions(order: Command, told: Told): void {
  order
    .command('order')
    .description('tell how far positions that are neighbours share pages, and whether reordering pays')
    .action(told(positions.order));
  order
    .command('reorder')
    .description('put the pages in order while everything runs; ended midway, the next run goes on')
    .action(told(positions.reorder));
  order
    .command('abandon')
    .description('give up what an ended `reorder` has begun, with its disk space')
    .action(told(positions.abandon));
}

function addBatches(batches: Command, told: Told): void {
  batches
    .command('dead')
    .description('list those whose work always fails, with how many people they still owe a push')
    .action(told(listDead));
  batches
    .command('retry')
    .argument('[batch]', 'its id', batchId)
    .option('--all', 'every dead one')
    .description('try again, if the alert still is to be sent; tells of each why not')
    .action(told((io, batch: number | undefined, options: RetryOptions) => retryDead(io, batch, options)));
}

function batchId(value: string): number {
  if (!/^[1-9][0-9]{0,14}$/.test(value)) throw new InvalidArgumentError('a batch’s number, see `batches dead`.');
  return Number(value);
}

function addAgency(agencies: Command, told: Told): void {
  agencies
    .command('create')
    .requiredOption('--name <name>', 'as the public knows it')
    .requiredOption('--zone <zone>', 'IANA time zone, e.g. Asia/Shanghai')
    .requiredOption('--call-number <number>', 'what the public is told to call')
    .requiredOption('--jurisdiction <file>', 'GeoJSON Polygon or MultiPolygon, WGS-84')
    .option('--parent <agency>', 'id of the agency above', id)
    .addOption(neighbours())
    .option('--retention-days <days>', 'for which a closed case’s private data are kept', days)
    .action(told((io, options: AgencyOptions) => createAgency(io, options)));
  agencies
    .command('set')
    .argument('<agency>', 'its id', id)
    .addOption(neighbours())
    .option('--retention-days <days>', 'for which a closed case’s private data are kept', days)
    .action(told((io, agency: string, options: AgencySettings) => setAgency(io, agency, options)));
  agencies.command('list').action(told((io) => listAgencies(io)));
  agencies
    .command('thaw')
    .argument('<agency>', 'its id', id)
    .description('let the officers and keys of a frozen agency in again')
    .action(told((io, agency: string) => thawAgency(io, agency)));
}

const neighbours = () =>
  new Option('--neighbours <policy>', 'what becomes of other agencies’ alerts on its land').choices(NEIGHBOUR_POLICIES);

function addOfficer(officers: Command, told: Told): void {
  officers
    .command('create')
    .requiredOption('--agency <agency>', 'id of the agency', id)
    .requiredOption('--login <login>', '3 to 64 letters, digits, . _ @ -', login)
    .requiredOption('--name <name>', 'as colleagues know them')
    .requiredOption('--roles <roles>', `with commas, of: ${ROLES.join(', ')}`, roles)
    .option('--password-file <file>', '- for standard input; without it a password is made and printed once')
    .action(told((io, options: OfficerOptions) => createOfficer(io, options)));
  officers
    .command('disable <login>')
    .description('shut an officer out and end their sessions')
    .action(told((io, name: string) => disableOfficer(io, name)));
  officers
    .command('invite <login>')
    .description('let an officer set their password anew, within 72 hours')
    .action(told((io, name: string) => inviteOfficer(io, name)));
  officers
    .command('thaw <login>')
    .description('let a frozen officer in again')
    .action(told((io, name: string) => thawOfficer(io, name)));
  officers
    .command('list')
    .requiredOption('--agency <agency>', 'id of the agency', id)
    .action(told((io, { agency }: { agency: string }) => listOfficers(io, agency)));
}

function addAgencyKey(keys: Command, told: Told): void {
  keys
    .command('create')
    .requiredOption('--agency <agency>', 'id of the agency', id)
    .requiredOption('--label <label>', 'which system holds it')
    .action(told((io, options: AgencyKeyOptions) => createAgencyKey(io, options)));
  keys
    .command('revoke')
    .argument('<id>', 'of the key', id)
    .action(told((io, key: string) => revokeAgencyKey(io, key)));
}

function addIdentityProvider(providers: Command, told: Told): void {
  providers
    .command('set')
    .requiredOption('--agency <agency>', 'id of the agency', id)
    .requiredOption(
      '--issuer <issuer>',
      'its address, exactly as its tokens name it; a client secret is OIDC_CLIENT_SECRETS’',
    )
    .requiredOption('--client-id <id>', 'as whom the provider knows us')
    .option('--required', 'officers of the agency sign in through it alone')
    .action(told((io, options: IdentityProviderOptions) => setIdentityProvider(io, options)));
  providers
    .command('remove')
    .description('officers of the agency sign in by password again')
    .requiredOption('--agency <agency>', 'id of the agency', id)
    .action(told((io, options: { agency: string }) => removeIdentityProvider(io, options)));
  providers
    .command('link <login>')
    .description('say as whom the provider of their agency knows an officer')
    .requiredOption('--subject <subject>', 'the `sub` of their tokens')
    .action(told((io, name: string, options: LinkOptions) => linkOfficer(io, name, options)));
  providers.command('unlink <login>').action(told((io, name: string) => unlinkOfficer(io, name)));
}

function id(value: string): string {
  if (z.uuid().safeParse(value).success) return value;
  throw new InvalidArgumentError('It is not an id.');
}

function days(value: string): number {
  const parsed = z.coerce.number().int().min(1).max(3650).safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('It is not a number of days from 1 to 3650.');
}

function login(value: string): string {
  if (LOGIN.test(value)) return value;
  throw new InvalidArgumentError('A login has 3 to 64 letters, digits, . _ @ -');
}

function roles(value: string): Role[] {
  const parsed = z.array(z.enum(ROLES)).min(1).safeParse(value.split(','));
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`Roles are: ${ROLES.join(', ')}.`);
}

function explain(io: Io, json: boolean, error: unknown): void {
  const { code, detail } = described(error);
  io.error(json ? JSON.stringify({ error: { code, detail } }) : `error: ${detail}`);
}

function described(error: unknown): { code: string; detail: string } {
  if (isRefusal(error)) return { code: error.code, detail: error.detail };
  if (error instanceof CommandError) return { code: 'command_failed', detail: error.message };
  if (isUnavailable(error)) {
    return {
      code: 'temporarily_unavailable',
      detail: 'PostgreSQL or Redis does not answer: see DATABASE_URL, REDIS_URL',
    };
  }
  const known = DATABASE_FAULTS[sqlState(error)];
  if (known) return { code: 'command_failed', detail: `${known} (${(error as Error).message})` };
  return { code: 'internal_error', detail: error instanceof Error && error.stack ? error.stack : String(error) };
}

/** What PostgreSQL refuses when a step of setting up was left out, by SQLSTATE. */
const DATABASE_FAULTS: Readonly<Record<string, string>> = {
  '28P01': 'DATABASE_URL has a wrong login or password',
  '3D000': 'The database of DATABASE_URL is not there: create it',
  '3F000': 'The schema is not there: `npm run migrate` first',
  '42P01': 'The schema is not there: `npm run migrate` first',
  '42501': 'The login of DATABASE_URL may not do this: take the owner’s',
};

function sqlState(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
