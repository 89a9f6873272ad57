// Moves within the picture of a run: stages and items from state to state, attempts and waits that begin and
// end. Every count that depends on such a move is changed here and nowhere else.

import type { MillraceEvent } from "../../../model/event.ts";
import type { StageState } from "../../../model/outcome.ts";
import { readWait } from "./event-fields.ts";
import type { Progress } from "./progress.ts";
import {
  makeItemCounts,
  type ItemCounts,
  type OpenWork,
  type StageProgress,
  type Wait,
} from "./stage-progress.ts";

/** A stage or item whose attempt begins. */
export function openWork(
  progress: Progress,
  stage: StageProgress,
  { key, event }: { readonly key: string; readonly event: MillraceEvent },
): void {
  const work = takeWork(progress, stage, { key, atMs: event.atMs });
  work.startedAtMs = event.atMs;
  work.attempt = event.attempt ?? 1;
  progress.running += 1;
}

/** A stage or item that waits. */
export function holdWork(
  progress: Progress,
  stage: StageProgress,
  { key, event }: { readonly key: string; readonly event: MillraceEvent },
): void {
  const work = takeWork(progress, stage, { key, atMs: event.atMs });
  const wait = readWait(event);
  work.wait = wait;
  const entry = stage.waits.get(waitKey(wait));
  stage.waits.set(waitKey(wait), { wait, count: (entry?.count ?? 0) + 1 });
  if (wait.kind === "retry") progress.retries += 1;
}

/** The open work of a key, neither running nor waiting; made if there is none. */
function takeWork(
  progress: Progress,
  stage: StageProgress,
  { key, atMs }: { readonly key: string; readonly atMs: number },
): OpenWork {
  const known = stage.open.get(key);
  if (known !== undefined) {
    leaveWork(progress, stage, { work: known, atMs });
    return known;
  }
  const work: OpenWork = { startedAtMs: undefined, wait: undefined, attempt: 1 };
  stage.open.set(key, work);
  return work;
}

/** A stage or item that has ended. Answers how long its last attempt took, ms; undefined: it made none. */
export function closeWork(
  progress: Progress,
  stage: StageProgress,
  { key, atMs }: { readonly key: string; readonly atMs: number },
): number | undefined {
  const work = stage.open.get(key);
  if (work === undefined) return undefined;
  const { startedAtMs } = work;
  leaveWork(progress, stage, { work, atMs });
  stage.open.delete(key);
  return startedAtMs === undefined ? undefined : Math.max(0, atMs - startedAtMs);
}

/** Ends the attempt or the wait that the work is in. */
function leaveWork(
  progress: Progress,
  stage: StageProgress,
  { work, atMs }: { readonly work: OpenWork; readonly atMs: number },
): void {
  if (work.startedAtMs !== undefined) {
    progress.running -= 1;
    progress.workMs += Math.max(0, atMs - work.startedAtMs);
    work.startedAtMs = undefined;
  }
  if (work.wait !== undefined) {
    const entry = stage.waits.get(waitKey(work.wait));
    if (entry !== undefined && entry.count > 1) entry.count -= 1;
    else stage.waits.delete(waitKey(work.wait));
    work.wait = undefined;
  }
}

function waitKey(wait: Wait): string {
  return `${wait.kind} ${wait.name ?? ""}`;
}

/** A stage that changes its state. */
export function moveStage(progress: Progress, stage: StageProgress, to: StageState): void {
  progress.stageCounts[stage.state] -= 1;
  progress.stageCounts[to] += 1;
  stage.state = to;
}

/** State of an item that has not ended. */
export function stateOfItem(stage: StageProgress, key: string): StageState {
  const work = stage.open.get(key);
  if (work === undefined) return "pending";
  return work.wait === undefined ? "running" : "waiting";
}

/** Items of a map stage; none counted yet where its list is not known. */
export function itemsOf(stage: StageProgress): ItemCounts {
  stage.items ??= makeItemCounts(0);
  return stage.items;
}

/** An item that changes its state. */
export function moveItem(
  progress: Progress,
  stage: StageProgress,
  { from, to }: { readonly from: StageState; readonly to: StageState },
): void {
  // A list that is read as it goes tells its length late: then items come that nobody has counted yet.
  if (from === "pending" && itemsOf(stage).pending === 0) {
    addItems(progress, stage, { state: "pending", count: 1 });
  }
  stage.items = itemsOf(stage);
  for (const counts of [stage.items, progress.items]) {
    counts[from] -= 1;
    counts[to] += 1;
  }
}

/** Items that are there in a state; negative: no longer. */
export function addItems(
  progress: Progress,
  stage: StageProgress,
  { state, count }: { readonly state: StageState; readonly count: number },
): void {
  for (const counts of [itemsOf(stage), progress.items]) {
    counts[state] += count;
    counts.total += count;
  }
}

/** Items that were never told to have ended although their stage has: none of them will. */
export function abandonItems(progress: Progress, stage: StageProgress, atMs: number): void {
  for (const key of stage.open.keys()) {
    moveItem(progress, stage, { from: stateOfItem(stage, key), to: "cancelled" });
    closeWork(progress, stage, { key, atMs });
  }
  const left = itemsOf(stage).pending;
  addItems(progress, stage, { state: "pending", count: -left });
  addItems(progress, stage, { state: "cancelled", count: left });
}
