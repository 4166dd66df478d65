import { readFile } from 'node:fs/promises';
import { DataSource, type EntityManager } from 'typeorm';
import { databaseOptions } from '#platform';
import { PROCESSES } from '../../../migrations/privileges.ts';
import { grantRoles, makeLogin } from '../../../migrations/roles.ts';
import { CommandError, type Io, settings } from './io.ts';

/** Gives the processes' roles their privileges; after each migration it is needed, for new tables begin with none. */
export function setRoles(io: Io): Promise<{ roles: readonly string[] }> {
  return asOwner(io, async (tx) => ({ roles: await grantRoles(tx) }));
}

export interface LoginOptions {
  readonly name: string;
  /** A file, or `-` for the standard input. */
  readonly passwordFile: string;
}

export async function setLogin(io: Io, name: string, options: LoginOptions): Promise<{ login: string }> {
  const process = PROCESSES.find((known) => known === name);
  if (!process) throw new CommandError(`A process is one of: ${PROCESSES.join(', ')}`);
  const { passwordFile } = options;
  const words = passwordFile === '-' ? await io.input() : await readFile(passwordFile, 'utf8').catch(() => null);
  if (words === null) throw new CommandError(`${passwordFile} cannot be read`);
  const password = words.replace(/\r?\n$/, '');
  await asOwner(io, (tx) => makeLogin(tx, process, options.name, password));
  return { login: options.name };
}

async function asOwner<Result>(io: Io, work: (tx: EntityManager) => Promise<Result>): Promise<Result> {
  const database = new DataSource({ ...databaseOptions(settings(io), 'golden72-roles'), extra: { max: 1 } });
  await database.initialize();
  try {
    return await database.transaction(work);
  } catch (error) {
    // What the roles' own code refuses explains itself.
    throw error instanceof Error && error.constructor === Error ? new CommandError(error.message) : error;
  } finally {
    await database.destroy();
  }
}
