import { Queue } from 'bullmq';

/**
 * A queue that is closed at once, whether Redis answers or not: BullMQ's takes leave of the server first, for as long as that is silent.
 * Whoever had something to add has been answered by then.
 */
export class PromptQueue extends Queue {
  override close(): Promise<void> {
    return this.getBackend().close(true);
  }
}
