// Runs in a worker thread: makes one attempt after the other, each told by a port of its own, and says what the thread
// has used when it ends.

import { getHeapStatistics } from "node:v8";
import { threadId, type MessagePort } from "node:worker_threads";
import { FarAttempt } from "./isolated/far-attempt.ts";
import type { ThreadTask } from "./isolated/far-side.ts";
import type { Order, Report } from "./isolated/protocol.ts";

/** What a thread receives. */
export interface ThreadMessage extends ThreadTask {
  readonly port: MessagePort;
}

/** What a thread says besides. */
export type ThreadReport =
  | Report
  /** It has begun to work on the attempt. */
  | { readonly kind: "taken"; readonly threadId: number }
  /** What the thread has used so far in all, and what it holds now. */
  | { readonly kind: "measured"; readonly cpuMs: number; readonly heldBytes: number };

let say: ((report: ThreadReport) => void) | null = null;

const imported: Set<string> = new Set();

// The last words of a thread whose stage ends it.
process.on("exit", measure);

/** Makes one attempt. Resolves when everything about it is said; never rejects. */
export async function work({ call, imports, port }: ThreadMessage): Promise<void> {
  const attempt = new FarAttempt(call, (report) => port.postMessage(report));
  say = (report) => port.postMessage(report);
  // Only our process has the other end.
  port.on("message", (order: Exclude<Order, { readonly kind: "call" }>) => attempt.hear(order));
  say({ kind: "taken", threadId });
  try {
    for (const address of imports) {
      if (!imported.has(address)) await import(address);
      imported.add(address);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return say({ kind: "unavailable", reason });
  }
  await attempt.make(measure);
  measure();
  say = null;
}

function measure(): void {
  const { user, system } = process.threadCpuUsage();
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  say?.({ kind: "measured", cpuMs: (user + system) / 1_000, heldBytes: heap + external });
}
