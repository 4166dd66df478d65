import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

@Injectable()
export class ZonesRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The names that `AT TIME ZONE` reads as zones. Of a name that is an abbreviation, too, it takes the abbreviation's fixed
   * offset: `CET` has no summer there.
   */
  async names(): Promise<string[]> {
    const rows = await this.dataSource.query<{ name: string }[]>(
      `SELECT name FROM pg_timezone_names
       WHERE name IN ('UTC', 'GMT') OR upper(name) NOT IN (SELECT abbrev FROM pg_timezone_abbrevs)`,
    );
    return rows.map(({ name }) => name);
  }
}
