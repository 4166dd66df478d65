import type { MigrationInterface, QueryRunner } from 'typeorm';

const CODES = {
  accepted: 'a',
  unregistered: 'u',
  rejected: 'r',
  expired: 'e',
  stopped: 's',
  unknown: 'k',
  pending: '.~',
} as const;

type Column = keyof typeof CODES;

/** Without results all are pending, which needs no counting: a wave writes thousands of such batches at once. */
const counted = (column: Column) =>
  `CASE WHEN results IS NULL THEN ${column === 'pending' ? 'size' : '0'}
     ELSE size - octet_length(translate(results, '${CODES[column]}', '')) END`;

const countedAlways = (column: Column) =>
  `size - length(translate(coalesce(results, repeat('.', size)), '${CODES[column]}', ''))`;

/** The same counts of a batch's results, at no cost while it has none. */
export class BatchCounts1764000000019 implements MigrationInterface {
  name = 'BatchCounts1764000000019';

  up(db: QueryRunner): Promise<void> {
    return this.generate(db, counted);
  }

  down(db: QueryRunner): Promise<void> {
    return this.generate(db, countedAlways);
  }

  /** PostgreSQL 15 cannot alter how a column is generated; dropped and added together they rewrite the table once. */
  private async generate(db: QueryRunner, expression: (column: Column) => string): Promise<void> {
    const columns = Object.keys(CODES) as Column[];
    await db.query(`ALTER TABLE batches ${columns.map((column) => `DROP COLUMN ${column}`).join(', ')}`);
    const added = columns.map(
      (column) => `ADD COLUMN ${column} smallint NOT NULL GENERATED ALWAYS AS (${expression(column)}) STORED`,
    );
    await db.query(`ALTER TABLE batches ${added.join(', ')}`);
  }
}
