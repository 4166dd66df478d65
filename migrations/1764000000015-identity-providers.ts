import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sign-in through an agency's own identity provider (OpenID Connect): nobody is created by it. */
export class IdentityProviders1764000000015 implements MigrationInterface {
  name = 'IdentityProviders1764000000015';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE identity_providers (
        agency_id uuid PRIMARY KEY REFERENCES agencies,
        issuer text NOT NULL CHECK (issuer LIKE 'https://%'),
        client_id text NOT NULL CHECK (client_id <> ''),
        required boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    // The issuer stands here too: subjects of one provider mean nobody at the next.
    await db.query(`
      CREATE TABLE officer_identities (
        officer_id uuid PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
        issuer text NOT NULL,
        subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (issuer, subject)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE officer_identities, identity_providers');
  }
}
