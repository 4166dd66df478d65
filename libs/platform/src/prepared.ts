/**
 * A statement that each connection has PostgreSQL read and plan once, for what is run many times a second: for a small one that is most
 * of its cost. Only for rows by their keys, where one plan is right for all values: it is kept until the connection ends or a table of
 * it is analysed. The same name is always the same words.
 *
 * TypeORM gives what it is asked to pg as it is, and pg prepares what has a name; only TypeORM's type knows of words alone.
 */
export function prepared(name: string, text: string): string {
  return { name, text, toString: () => text } as unknown as string;
}
