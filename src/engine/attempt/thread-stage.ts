// Runs a stage with `runIn: "thread"` as an attempt. What threads need is loaded on first need: most pipelines have
// none.

import type { ThreadWork } from "../executors/thread-call.ts";
import type { RunCore } from "../run-core.ts";
import type { Attempt } from "./attempt.ts";

/** The stage's result, or `skip`; throws what it threw, the reason of an abort, or that its thread died. */
export async function runThreadStage(
  core: RunCore,
  attempt: Attempt,
  work: ThreadWork,
): Promise<unknown> {
  const { callInThread } = await import("../executors/thread-call.ts");
  return await callInThread(core, attempt, work);
}
