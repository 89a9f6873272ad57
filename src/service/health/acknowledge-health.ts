// Unblocks a pipeline: somebody has looked at what broke under its last run, and says so. Recorded with who and why, and
// told; a later run that ends so blocks it again.

import { MillraceError } from "../../model/errors.ts";
import { HEALTH_REASON_CHARS_MAX } from "../../model/limits.ts";
import { findNearest } from "../../std/nearest.ts";
import type { MillContext } from "../mill-context.ts";
import { toHealthView, type PipelineHealthView } from "../views/health-view.ts";
import { noteHealth } from "./note-health.ts";
import { listHealthNames, readHealth } from "./read-health.ts";

/** Who acknowledges, and why. */
export interface HealthAckOptions {
  /** 1 to 500 characters, kept and shown. */
  readonly reason: string;
  /** Who, for people. Default "program". */
  readonly actor?: string;
}

/** What became of it. */
export interface HealthAckOutcome {
  /** False: nothing blocked the pipeline, and nothing was recorded. */
  readonly changed: boolean;
  /** As it is now. */
  readonly health: PipelineHealthView;
}

/** Times that others may have acknowledged meanwhile. */
const TRIES_MAX = 5;

/** Acknowledges what blocks a pipeline. May be repeated. PIPELINE_UNKNOWN, OPTION_INVALID. */
export async function acknowledgeHealth(
  mill: Pick<MillContext, "store" | "committer" | "pipelines">,
  pipeline: string,
  { reason, actor = "program" }: HealthAckOptions,
): Promise<HealthAckOutcome> {
  checkReason(reason);
  await checkPipeline(mill, pipeline);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const record = await mill.store.findRecord("acknowledgements", pipeline);
    const health = await readHealth(mill.store, pipeline);
    if (health.blockedBy === null) return { changed: false, health: toHealthView(health) };
    const result = await mill.committer.write({
      kind: "put-records",
      puts: [
        {
          collection: "acknowledgements",
          key: pipeline,
          expected: record?.revision ?? 0,
          value: { run: health.blockedBy, actor, reason },
        },
      ],
      events: [{ type: "health.acknowledged", data: { pipeline, actor, reason } }],
    });
    if (result.kind !== "recorded") continue;
    await noteHealth(mill, pipeline);
    return { changed: true, health: toHealthView(await readHealth(mill.store, pipeline)) };
  }
  throw new MillraceError(
    "RUN_STATE_CONFLICT",
    `Others kept acknowledging the health of "${pipeline}" at the same time.`,
    { hint: "look at it again", next: `npx millrace health ${pipeline}`, retryable: true },
  );
}

function checkReason(reason: string): void {
  if (reason.trim() !== "" && reason.length <= HEALTH_REASON_CHARS_MAX) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `reason: expected 1 to ${HEALTH_REASON_CHARS_MAX} characters; got ${reason.length}.`,
    { hint: "say what was found; nothing was acknowledged" },
  );
}

/** Refuses a name that neither the store nor this process knows. PIPELINE_UNKNOWN. */
async function checkPipeline(
  mill: Pick<MillContext, "store" | "pipelines">,
  pipeline: string,
): Promise<void> {
  const known = await listHealthNames(mill.store, mill.pipelines.keys());
  if (known.includes(pipeline)) return;
  const near = findNearest(pipeline, known);
  throw new MillraceError("PIPELINE_UNKNOWN", `There are no runs of a pipeline "${pipeline}".`, {
    hint:
      near === undefined ? `known: ${known.slice(0, 20).join(", ")}` : `did you mean "${near}"?`,
    next: "npx millrace health",
    details: { given: pipeline, known: known.slice(0, 100) },
  });
}
