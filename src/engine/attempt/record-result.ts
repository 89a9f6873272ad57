// Calls the author's `record` with a result: it sets state and metrics beside it. What it throws is a warning of the
// run, told once for a stage; the result stands.

import { messageOf } from "../../policy/failure.ts";
import type { RunCore } from "../run-core.ts";
import type { Attempt } from "./attempt.ts";

/** Does nothing for a stage without `record`, and never throws. */
export function recordResult(core: RunCore, attempt: Attempt, value: unknown): void {
  const { stageRun } = attempt;
  const { record } = stageRun.definition;
  if (record === null || attempt.purpose !== "run") return;
  try {
    const answer: unknown = record(value, attempt);
    if (!(answer instanceof Promise)) return;
    // Nobody waits for it, and what it sets later would be lost.
    answer.catch(() => undefined);
    throw new Error("it returned a promise, and has to be done when it returns");
  } catch (error) {
    core.recordFaults ??= new Set();
    if (core.recordFaults.has(stageRun)) return;
    core.recordFaults.add(stageRun);
    attempt.log.warn(`record of "${attempt.stage}" failed: ${messageOf(error)}`);
  }
}
