import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Anchor, type AuditReport, AuditVerification, type FaultKind } from '#audit';
import { withServices } from './context.ts';
import { CommandError, type Io } from './io.ts';

export interface VerifyOptions {
  readonly agency?: string;
  /** A file of lines that {@link anchor} or a worker's log told. */
  readonly anchors?: string;
}

export interface ExportOptions {
  readonly agency: string;
  readonly from: Date;
  readonly to: Date;
}

/** How anybody checks an export, without a key and without this program. */
export const RECIPE = `
Each line is an entry. Whoever has the lines checks them with SHA-256 alone:
  1. seq rises by 1, and previousHash is the hash of the line before.
  2. hash = SHA-256( the 32 bytes of previousHash, then the UTF-8 bytes of this JSON array without spaces:
       [version, agencyId, seq, at, actor, action, thing, detail, origin, why] )
     where detail is an array of [key, value] pairs sorted by key. Entries of version 1 leave out version, origin
     and why: [agencyId, seq, at, actor, action, thing, detail].
In Python:
  import hashlib, json, sys
  for line in sys.stdin:
      e = json.loads(line); detail = sorted(map(list, e['detail'].items()))
      own = [e['agencyId'], e['seq'], e['at'], e['actor'], e['action'], e['thing'], detail]
      if e['version'] > 1: own = [e['version'], *own, e['origin'], e['why']]
      text = json.dumps(own, separators=(',', ':'), ensure_ascii=False).encode()
      assert hashlib.sha256(bytes.fromhex(e['previousHash']) + text).hexdigest() == e['hash'], e['seq']`;

/** Recomputes chains. @returns what is wrong; the exit code says whether anything is. */
export function verify(io: Io, options: VerifyOptions): Promise<AuditReport> {
  return withServices(io, async (services) => {
    const anchors = options.anchors === undefined ? [] : await readAnchors(options.anchors);
    return services.get(AuditVerification, { strict: false }).verify(options.agency, anchors);
  });
}

/** Prints every chain's head, one JSON object a line. */
export function anchor(io: Io): Promise<void> {
  return withServices(io, async (services) => {
    for await (const head of services.get(AuditVerification, { strict: false }).anchors()) {
      io.out(JSON.stringify(head));
    }
  });
}

/** Prints an agency's entries, one JSON object a line; see {@link RECIPE}. */
export function exportEntries(io: Io, { agency, from, to }: ExportOptions): Promise<void> {
  return withServices(io, async (services) => {
    for await (const entry of services.get(AuditVerification, { strict: false }).export(agency, from, to)) {
      io.out(JSON.stringify(entry));
    }
  });
}

const MEANINGS: Readonly<Record<FaultKind, string>> = {
  edited: 'the entry is not what was recorded, or was recorded for another agency',
  gap: 'entries before it are missing',
  out_of_chain: 'it does not follow the entry before it',
  tail_deleted: 'the head names entries that are gone',
  beyond_head: 'it was added behind the head’s back',
  head_forged: 'the head was not written by us, or SECRET_KEY is not that of this deployment',
  unsealed: 'the head’s seal was taken away',
  rewritten: 'it is not the entry that an anchor names',
  rolled_back:
    'an anchor names this entry, and the chain ends before it: an older copy of the database, or a deleted end',
};

/** A verification for people: a line per fault, what each kind means, then the counts. */
export function tellReport(io: Io, json: boolean, report: AuditReport): void {
  if (json) return io.out(JSON.stringify(report));
  for (const { agencyId, seq, fault } of report.faults) io.out(`agency ${agencyId}, entry ${seq}: ${fault}`);
  const kinds = new Set(report.faults.map(({ fault }) => fault));
  for (const kind of kinds) io.out(`${kind}: ${MEANINGS[kind]}`);
  io.out(`${report.chains} chains, ${report.entries} entries, ${report.faults.length} faults`);
}

const anchorLine = z.object({ agencyId: z.uuid(), seq: z.int().positive(), hash: z.string().regex(/^[0-9a-f]{64}$/) });
const logLine = z.object({ anchor: anchorLine });

/** Lines that hold no anchor are a log's others. */
async function readAnchors(path: string): Promise<Anchor[]> {
  const words = await readFile(path, 'utf8').catch(() => {
    throw new CommandError(`${path} cannot be read`);
  });
  const anchors = words.split('\n').flatMap(anchorOf);
  if (anchors.length === 0) throw new CommandError(`${path} holds no anchor`);
  return anchors;
}

function anchorOf(line: string): Anchor[] {
  if (!line.startsWith('{')) return [];
  const value = parse(line);
  const plain = anchorLine.safeParse(value);
  if (plain.success) return [plain.data];
  const logged = logLine.safeParse(value);
  return logged.success ? [logged.data.anchor] : [];
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
