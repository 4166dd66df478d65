import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { databaseOptions, type Env } from '#platform';
import { type Process, PROCESSES } from '../../../migrations/privileges.ts';
import { grantRoles, makeLogin } from '../../../migrations/roles.ts';

/** Under which address each process reaches the database. */
export type DatabaseUrls = Readonly<Record<Process, string>>;

/**
 * Gives each process a login of its own for this night, with no more than its privileges.
 * @returns null when whoever plays the demo may not make roles on the given server: then all are the owner.
 */
export async function makeLogins(env: Env): Promise<DatabaseUrls | null> {
  const database = await new DataSource({
    ...databaseOptions(env, 'golden72-demo-roles'),
    extra: { max: 1 },
  }).initialize();
  try {
    const [{ able }] = await database.query<[{ able: boolean }]>(
      'SELECT rolsuper OR rolcreaterole AS able FROM pg_roles WHERE rolname = current_user',
    );
    if (!able) return null;
    return await database.transaction(async (tx) => {
      await grantRoles(tx);
      const urls: [Process, string][] = [];
      for (const process of PROCESSES) {
        const [username, password] = [`golden72_demo_${process}`, randomBytes(24).toString('base64url')];
        await makeLogin(tx, process, username, password);
        urls.push([process, Object.assign(new URL(env.DATABASE_URL), { username, password }).href]);
      }
      return Object.fromEntries(urls) as DatabaseUrls;
    });
  } finally {
    await database.destroy();
  }
}
