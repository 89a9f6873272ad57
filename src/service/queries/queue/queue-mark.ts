// How a worker that is idle names its queues among what it runs: no run has such a name.

/** The mark of a pipeline's queue. */
export function toQueueMark(pipeline: string): string {
  return `queue:${pipeline}`;
}

/** True for the mark of any queue. */
export function isQueueMark(running: string): boolean {
  return running.startsWith("queue:");
}
