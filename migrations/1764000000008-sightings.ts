import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Sightings1764000000008 implements MigrationInterface {
  name = 'Sightings1764000000008';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE sightings (
        id uuid PRIMARY KEY,
        case_id uuid NOT NULL REFERENCES cases ON DELETE CASCADE,
        source text NOT NULL CHECK (source IN ('app', 'page', 'phone')),
        state text NOT NULL CHECK (state IN ('new', 'following', 'confirmed', 'dismissed')),
        place text,
        point geography(Point, 4326),
        observed_at timestamptz,
        received_at timestamptz NOT NULL DEFAULT now(),
        words text NOT NULL,
        contact text,
        photo_jpeg bytea,
        taken_by uuid REFERENCES officers,
        triaged_by uuid REFERENCES officers,
        triaged_at timestamptz,
        dismissal text CHECK (dismissal IN ('hoax', 'mistaken', 'duplicate')),
        CHECK ((source = 'phone') = (taken_by IS NOT NULL)),
        CHECK ((state = 'dismissed') = (dismissal IS NOT NULL)),
        CHECK (observed_at <= received_at + interval '5 minutes')
      )`);
    await db.query('CREATE INDEX sightings_case ON sightings (case_id, received_at)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE sightings');
  }
}
