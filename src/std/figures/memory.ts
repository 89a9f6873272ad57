// What this process uses of its machine.

import { totalmem } from "node:os";

/** Memory, bytes. */
export interface MemoryUse {
  /** Of what is nearer to its limit: the whole process, or the heap. */
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** Memory that is in use beside the limit that is nearer: that of the process (its container or machine), or that of
 *  the heap. */
export function readMemory(): MemoryUse {
  // Taken here: loading it costs a start, and few processes ask.
  const heap = process.getBuiltinModule("node:v8").getHeapStatistics();
  const ofHeap = { usedBytes: heap.used_heap_size, limitBytes: heap.heap_size_limit };
  // 0, or more than there is: nothing constrains it.
  const constrained = process.constrainedMemory();
  const limitBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  const ofProcess = { usedBytes: process.memoryUsage.rss(), limitBytes };
  const isHeapNearer =
    ofHeap.usedBytes / ofHeap.limitBytes > ofProcess.usedBytes / ofProcess.limitBytes;
  return isHeapNearer ? ofHeap : ofProcess;
}
