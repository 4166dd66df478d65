import { Client } from 'pg';
import { createEmptyDatabase, type TestDatabase } from './database.ts';

/** A new database with what dumps (`pg_dump --inserts --no-owner --no-acl`) hold, one after the other. */
export async function restore(...dumps: readonly string[]): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  for (const dump of dumps) await execute(database.url, withoutCommands(dump));
  return database;
}

/** Lines such as `\restrict` speak to psql, not to the server. */
function withoutCommands(dump: string): string {
  return dump.replaceAll(/^\\.*$/gm, '');
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
