import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { TestDatabase } from './database.ts';

/** A new database with what dumps (`pg_dump --inserts --no-owner --no-acl`) hold, one after the other. */
export async function restore(server: string, ...dumps: readonly string[]): Promise<TestDatabase> {
  const name = `golden72_test_${randomBytes(6).toString('hex')}`;
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  await ask(server, `CREATE DATABASE ${name} TEMPLATE template0`);
  for (const dump of dumps) await ask(url, withoutCommands(dump));
  return { url, drop: () => ask(server, `DROP DATABASE ${name} WITH (FORCE)`) };
}

/** Lines such as `\restrict` speak to psql, not to the server. */
function withoutCommands(dump: string): string {
  return dump.replaceAll(/^\\.*$/gm, '');
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
