import type { Area } from '#geo';
import type { Mode } from '#push';
import type { Instruction, Localised, MessageKind, Notice, Texts, Tier } from './alert.types.ts';

/** One batch, held by one worker under one epoch, with all that its pushes need. */
export interface Lease {
  readonly batchId: number;
  /** The fence: writes under an older epoch change nothing. */
  readonly epoch: number;
  readonly attempt: number;
  readonly band: number;
  readonly size: number;
  readonly results: string | null;
  readonly ids: readonly number[];
  readonly waveId: number;
  readonly audience: 'ring' | 'notified';
  readonly alertId: string;
  readonly alertEpoch: number;
  readonly slug: string;
  readonly mode: Mode;
  readonly tier: Tier;
  readonly area: Area;
  readonly zone: string;
  readonly place: Localised;
  readonly callNumber: string;
  readonly instruction: Instruction;
  readonly hasPhoto: boolean;
  /** A ring is asked by an `alert`, whatever the message was to those asked before. */
  readonly kind: MessageKind;
  /** The alert's newest message at the claim. */
  readonly version: number;
  readonly texts: Texts;
  readonly notice: Notice | null;
  /** After this nothing of the batch is sent any more. */
  readonly deadline: Date;
  readonly overdue: boolean;
  /** The trace in which its wave was made; null where none is kept. */
  readonly traceParent: string | null;
  /** Of a wave's first batch, until a push of it is accepted: milliseconds for which it has owed one. Null for any other. */
  readonly firstDueMs: number | null;
}

/** What has become of a batch's alert, under a shared lock: see {@link BatchRepository.standing}. */
export interface Standing {
  readonly alertId: string;
  /** Whether the alert has a newer message than the batch knows of, or asks nobody any more. */
  readonly behind: boolean;
}

export interface ReadyBatch {
  readonly waveId: number;
  /** Whether the wave tells that its alert is over. */
  readonly ends: boolean;
  readonly batchId: number;
  /** Its place in its wave, nearest first, from 1 on. */
  readonly seq: number;
  readonly band: number;
  readonly epoch: number;
  /** Milliseconds until it may run; 0 is now. */
  readonly delayMs: number;
}

/** Why a batch settles or goes back to the queue; see {@link BatchRepository.settle}. */
export interface Settlement {
  readonly results: string;
  /** Milliseconds until the rest is tried again; null when there is no rest. */
  readonly retryMs: number | null;
  readonly pushed: boolean;
  /** False when the provider was not even asked for the rest: the attempt does not count. */
  readonly tried: boolean;
}
