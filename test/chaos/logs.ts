import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Line {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** What the processes have logged since a moment. */
export class Logs {
  readonly #dir: string;
  readonly #from: ReadonlyMap<string, number>;

  private constructor(dir: string) {
    this.#dir = dir;
    this.#from = new Map(logsIn(dir).map((name) => [name, statSync(join(dir, name)).size]));
  }

  static fromNow(dir: string): Logs {
    return new Logs(dir);
  }

  /** Lines that say something, of every process. */
  saying(msg: string): Line[] {
    return logsIn(this.#dir).flatMap((name) => this.#lines(name).filter((line) => line.msg === msg));
  }

  #lines(name: string): Line[] {
    const text = readFileSync(join(this.#dir, name))
      .subarray(this.#from.get(name) ?? 0)
      .toString('utf8');
    return text.split('\n').flatMap(parsed);
  }
}

const logsIn = (dir: string) => (existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.log')) : []);

/** A line cut off by a kill is nobody's. */
function parsed(line: string): Line[] {
  try {
    return line.startsWith('{') ? [JSON.parse(line) as Line] : [];
  } catch {
    return [];
  }
}
