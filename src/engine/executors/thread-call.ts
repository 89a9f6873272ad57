// Makes one attempt in a worker thread. A thread that dies with its attempt counts as an isolated crash: three of
// them make the stage or item poison.

import { MillraceError } from "../../model/errors.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { RunCore } from "../run-core.ts";
import { isCrash, Unavailable, type ThreadSide } from "./isolated/far-side.ts";
import { makeCall } from "./isolated/make-call.ts";
import { RemoteCall } from "./isolated/remote-call.ts";

/** What a thread is asked for. */
export interface ThreadWork {
  readonly needs: unknown;
  /** Told when the code of the stage is called. */
  readonly begun: () => void;
}

/** Resolves with the result once the thread is free or gone. Rejects with what the stage threw, the reason of an
 *  abort, IsolatedCrash, or PIPELINE_FILE_INVALID where the stage cannot be called there. */
export async function callInThread(
  core: RunCore,
  attempt: Attempt,
  { needs, begun }: ThreadWork,
): Promise<unknown> {
  const { threads, childImports = [] } = core.world;
  if (threads === undefined) throw unavailable(attempt, "this process has no threads");
  const call = makeCall(core, attempt, needs);
  const pool = await threads.open();
  // Ended while the first thread of the process was being prepared.
  if (attempt.abortReason !== null) throw attempt.abortReason;
  let side: ThreadSide | null = null;
  try {
    return await new RemoteCall(core.world, attempt, {
      open: (hear) => (side = pool.start({ call, imports: childImports }, hear)),
      begun,
    }).run();
  } catch (error) {
    if (error instanceof Unavailable) throw unavailable(attempt, error.message);
    if (isCrash(error)) await countCrashes(core);
    throw error;
  } finally {
    // Set by a callback, which the compiler does not see.
    attempt.usage = (side as ThreadSide | null)?.usage ?? null;
  }
}

/** From the first crash on they are counted; runs without one pay nothing for it. */
async function countCrashes(core: RunCore): Promise<void> {
  const { makeIsolator } = await import("./isolated/isolated-run.ts");
  core.isolation ??= makeIsolator({ plan: null, records: [], lostClaims: 0 }).makeIsolation(core);
}

function unavailable({ stage }: Attempt, reason: string): MillraceError {
  return new MillraceError(
    "PIPELINE_FILE_INVALID",
    `"${stage}" could not be called in a thread: ${reason.replace(/\.$/, "")}.`,
    { hint: "export the pipeline, and put what starts work behind `if (import.meta.main)`" },
  );
}
