// What events of items change in the picture of a run.

import type { MillraceEvent } from "../../../model/event.ts";
import type { StageEndState } from "../../../model/outcome.ts";
import { endOf, numberField, readFailure, viaField } from "./event-fields.ts";
import { closeWork, holdWork, moveItem, openWork, stateOfItem } from "./open-work.ts";
import type { Applied, Progress } from "./progress.ts";
import type { StageProgress } from "./stage-progress.ts";

/** Takes an event of an item into the picture. */
export function applyItemEvent(
  progress: Progress,
  stage: StageProgress,
  event: MillraceEvent,
): Applied {
  const key = event.item ?? "";
  const end = endOf(event);
  if (end !== undefined) return endItem(progress, stage, { event, end });
  const from = stateOfItem(stage, key);
  if (event.type === "item.started") {
    moveItem(progress, stage, { from, to: "running" });
    openWork(progress, stage, { key, event });
  } else if (event.type === "item.waiting") {
    moveItem(progress, stage, { from, to: "waiting" });
    holdWork(progress, stage, { key, event });
  }
  return { event, stage, isFailure: false, tail: [] };
}

function endItem(
  progress: Progress,
  stage: StageProgress,
  { event, end }: { readonly event: MillraceEvent; readonly end: StageEndState },
): Applied {
  const key = event.item ?? "";
  moveItem(progress, stage, { from: stateOfItem(stage, key), to: end });
  const tookMs = closeWork(progress, stage, { key, atMs: event.atMs });
  const tail = end === "failed" ? progress.logs.of(stage.name, key) : [];
  progress.logs.forget(stage.name, key);
  if (end === "succeeded") countItemSuccess(progress, stage, event);
  if (end === "succeeded" && tookMs !== undefined) stage.durations.add(tookMs);
  // What ends without having been worked for says nothing about the pace.
  if (end === "succeeded" || end === "failed") stage.rate?.add(event.atMs);
  if (end !== "failed") return { event, stage, isFailure: false, tail };
  return { event, stage, tail, ...progress.failures.add(readFailure(event)) };
}

function countItemSuccess(progress: Progress, stage: StageProgress, event: MillraceEvent): void {
  const via = viaField(event);
  if (via === "cache") {
    stage.cached += 1;
  } else if (via === "checkpoint") {
    stage.kept += 1;
  }
  if ((numberField(event, "attempts") ?? 1) > 1) {
    stage.retried += 1;
    progress.retried += 1;
  }
}
