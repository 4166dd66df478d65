import type { ChildProcess } from 'node:child_process';

/** A directory that holds one run at a time. */
export interface Purpose {
  readonly name: string;
  readonly dir: string;
  /** Notes a child, so that a later run can end it if this one and its guard are killed. */
  record(kind: 'app' | 'postgres' | 'redis', child: ChildProcess): void;
  secrets(): { readonly postgres: string; readonly redis: string };
  release(): void;
}

/** Takes a purpose for this process, ending first what a killed run left there. @throws SetupError when another run has it */
export function takePurpose(local: string, name: string): Promise<Purpose>;
