/** The queue of erasures: one job, which does all that are due. Its payload says nothing of anybody; the requests are on disk. */
import type { Queue } from 'bullmq';

/** Name of BullMQ's queue, below `keys.queuePrefix`. */
export const erasureQueueName = 'erasures';

/** Asks for a run, unless one waits or is under way. What fails is asked for again, as its request is still there. */
export async function askForErasure(queue: Queue): Promise<void> {
  await queue.add('erase', {}, { jobId: 'erase', attempts: 1, removeOnComplete: true, removeOnFail: true });
}
