import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One generated column per kind of result, so that counts can never drift from the results they count. */
const counted = (column: string, codes: string) =>
  `${column} smallint NOT NULL GENERATED ALWAYS AS
     (size - length(translate(coalesce(results, repeat('.', size)), '${codes}', ''))) STORED`;

export class Dispatch1764000000006 implements MigrationInterface {
  name = 'Dispatch1764000000006';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE alerts (
        id uuid PRIMARY KEY,
        slug text NOT NULL UNIQUE,
        agency_id uuid NOT NULL REFERENCES agencies,
        state text NOT NULL CHECK (state IN ('proposed', 'withdrawn', 'live', 'ended')),
        mode text NOT NULL CHECK (mode IN ('real', 'exercise', 'demo')),
        tier text NOT NULL CHECK (tier IN ('critical', 'serious', 'page_only')),
        area jsonb NOT NULL,
        origin geography(Point, 4326) NOT NULL,
        zone text NOT NULL,
        place jsonb NOT NULL,
        call_number text NOT NULL,
        instruction text NOT NULL CHECK (instruction IN ('do_not_approach', 'stay_and_call', 'call')),
        photo_id uuid REFERENCES case_photos ON DELETE SET NULL,
        hours smallint NOT NULL CHECK (hours BETWEEN 1 AND 72),
        epoch integer NOT NULL DEFAULT 0,
        released_at timestamptz,
        expires_at timestamptz,
        ended_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((released_at IS NULL) = (expires_at IS NULL)),
        CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
        CHECK (state NOT IN ('live', 'ended') OR released_at IS NOT NULL)
      )`);
    await db.query(`CREATE INDEX alerts_live ON alerts (expires_at) WHERE state = 'live'`);
    await db.query(`
      CREATE TABLE alert_cases (
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        case_id uuid NOT NULL REFERENCES cases ON DELETE CASCADE,
        PRIMARY KEY (alert_id, case_id)
      )`);
    await db.query('CREATE INDEX alert_cases_case ON alert_cases (case_id)');
    await db.query(`
      CREATE TABLE messages (
        id uuid PRIMARY KEY,
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        version integer NOT NULL CHECK (version > 0),
        kind text NOT NULL CHECK (kind IN ('alert', 'update', 'cancel', 'found', 'expire')),
        texts jsonb NOT NULL,
        author_id uuid REFERENCES officers,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (alert_id, version)
      )`);
    await db.query(`
      CREATE TABLE waves (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        message_id uuid NOT NULL REFERENCES messages,
        audience text NOT NULL CHECK (audience IN ('ring', 'notified')),
        targeted integer NOT NULL DEFAULT 0,
        withheld jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        settled_at timestamptz
      )`);
    await db.query('CREATE INDEX waves_alert ON waves (alert_id)');
    await db.query('CREATE INDEX waves_unsettled ON waves (id) WHERE settled_at IS NULL');
    await db.query(`
      CREATE TABLE batches (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        wave_id bigint NOT NULL REFERENCES waves ON DELETE CASCADE,
        alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
        seq integer NOT NULL,
        provider text NOT NULL,
        band smallint NOT NULL,
        size smallint NOT NULL CHECK (size BETWEEN 1 AND 500),
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'leased', 'settled')),
        epoch integer NOT NULL DEFAULT 0,
        attempt smallint NOT NULL DEFAULT 0,
        run_at timestamptz NOT NULL DEFAULT now(),
        lease_until timestamptz,
        results text CHECK (length(results) = size),
        first_push_at timestamptz,
        last_push_at timestamptz,
        ${counted('accepted', 'a')},
        ${counted('unregistered', 'u')},
        ${counted('rejected', 'r')},
        ${counted('expired', 'e')},
        ${counted('stopped', 's')},
        ${counted('unknown', 'k')},
        ${counted('pending', '.~')},
        UNIQUE (wave_id, seq),
        CHECK (state <> 'settled' OR results IS NOT NULL AND results !~ '[.~]'),
        CHECK ((state = 'leased') = (lease_until IS NOT NULL))
      ) WITH (fillfactor = 80)`);
    await db.query('CREATE INDEX batches_alert ON batches (alert_id)');
    await db.query(`CREATE INDEX batches_unsettled ON batches (wave_id, seq) WHERE state <> 'settled'`);
    await db.query(`CREATE INDEX batches_leased ON batches (lease_until) WHERE state = 'leased'`);
    await db.query(`
      CREATE TABLE batch_recipients (
        batch_id bigint PRIMARY KEY REFERENCES batches ON DELETE CASCADE,
        ids bigint[] COMPRESSION lz4 NOT NULL
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE batch_recipients, batches, waves, messages, alert_cases, alerts');
  }
}
