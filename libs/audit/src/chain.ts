import { GENESIS, hashEntry } from './audit-entry.ts';
import type { Head, StoredEntry } from './audit.repository.ts';

/**
 * What is wrong with a chain.
 * `edited`: an entry is not what was recorded, or was recorded for another agency · `gap`: entries are missing before it ·
 * `out_of_chain`: it does not follow the entry before it · `tail_deleted`: the head names entries that are gone ·
 * `beyond_head`: the head does not know it · `head_forged`: the head was not written by us · `unsealed`: its seal is gone ·
 * `rewritten`: it is not the entry that an anchor names · `rolled_back`: an anchor names an entry after the last.
 */
export type FaultKind =
  | 'edited'
  | 'gap'
  | 'out_of_chain'
  | 'tail_deleted'
  | 'beyond_head'
  | 'head_forged'
  | 'unsealed'
  | 'rewritten'
  | 'rolled_back';

export interface ChainFault {
  readonly agencyId: string;
  /** The first entry at fault. */
  readonly seq: number;
  readonly fault: FaultKind;
}

/** A head as it was told outside of the database: nothing that is done to the database changes it. */
export interface Anchor {
  readonly agencyId: string;
  readonly seq: number;
  /** 64 hexadecimal digits. */
  readonly hash: string;
}

/** Walks one chain from its beginning, entry by entry, and stops at the first fault. */
export class ChainWalk {
  private last: Pick<StoredEntry, 'seq' | 'hash' | 'version'> = { seq: 0, hash: GENESIS, version: 1 };
  private readonly anchors: ReadonlyMap<number, string>;
  private readonly lastAnchored: number;

  constructor(
    private readonly agencyId: string,
    anchors: readonly Anchor[],
  ) {
    this.anchors = new Map(anchors.map(({ seq, hash }) => [seq, hash]));
    this.lastAnchored = Math.max(0, ...this.anchors.keys());
  }

  /** Entries walked so far. */
  get entries(): number {
    return this.last.seq;
  }

  step(entry: StoredEntry): ChainFault | null {
    const expected = this.last.seq + 1;
    if (entry.seq !== expected) return this.fault(expected, 'gap');
    // An older version covers fewer fields: nothing of one follows an entry of a newer.
    const sound = entry.version >= this.last.version && hashEntry(entry).equals(entry.hash);
    if (!sound) return this.fault(expected, 'edited');
    if (!entry.previousHash.equals(this.last.hash)) return this.fault(expected, 'out_of_chain');
    const anchored = this.anchors.get(entry.seq);
    if (anchored !== undefined && anchored !== entry.hash.toString('hex')) return this.fault(expected, 'rewritten');
    this.last = entry;
    return null;
  }

  /** @param isSeal whether the head's seal is ours */
  end(head: Head | undefined, isSeal: (head: Head, seal: Buffer) => boolean): ChainFault | null {
    const { seq, hash, version } = this.last;
    const known = head ?? { seq: 0, hash: GENESIS, seal: null };
    if (known.seq > seq) return this.fault(seq + 1, 'tail_deleted');
    if (known.seq < seq) return this.fault(known.seq + 1, 'beyond_head');
    if (!known.hash.equals(hash)) return this.fault(seq, 'head_forged');
    if (known.seal && !isSeal(known, known.seal)) return this.fault(seq, 'head_forged');
    // Chains that end before there were seals have none until something more is recorded.
    if (!known.seal && version > 1) return this.fault(seq, 'unsealed');
    return this.lastAnchored > seq ? this.fault(seq + 1, 'rolled_back') : null;
  }

  private fault(seq: number, fault: FaultKind): ChainFault {
    return { agencyId: this.agencyId, seq, fault };
  }
}
