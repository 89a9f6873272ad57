// Why a stage is in its state.

import type { StageRecord } from "../../model/checkpoint.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Store } from "../../storage/store.ts";
import { findStageBlockers } from "../queries/find-blockers.ts";
import { getStage, listRunningItems, stageStateOf, type RunFacts } from "../queries/run-facts.ts";
import type { StoredStage } from "../views/definition-view.ts";
import { toStageView } from "../views/stage-view.ts";
import type { Answer } from "./answer.ts";
import { sayGatesNext } from "./gate-words.ts";
import { refreshGates } from "./refresh-gates.ts";
import { sayHeld } from "./say-held.ts";
import { sayCachedItems, sayMadeAnew } from "./cache-reason.ts";
import { sayCrashesOf, sayPoison } from "./explain-crashes.ts";
import { findRedoReason } from "./redo-reason.ts";
import {
  sayRetries,
  sayCount,
  sayFailure,
  saySince,
  sayWhyCancelled,
  sayWhySkipped,
} from "./words.ts";

/** Explains a stage. STAGE_UNKNOWN. */
export async function explainStage(store: Store, facts: RunFacts, name: string): Promise<Answer> {
  const stage = getStage(facts, name);
  const record = facts.records.get(name);
  const state = stageStateOf(facts, name);
  const retries = await store.listRetries(facts.run.id, name, null);
  const redo = facts.run.resumes === 0 ? undefined : await findRedoReason(store, facts, name);
  const anew =
    record?.state === "succeeded" && record.via === "run"
      ? await sayMadeAnew(store, facts, { stage: name, item: null })
      : "";
  // Of a map it is the items that wait.
  const scope = record !== undefined && record.itemCount !== null ? "many" : "one";
  const blockers = await refreshGates(store, findStageBlockers(facts, name), scope);
  const waits = state === "waiting" ? sayHeld(facts, record, blockers) : undefined;
  return {
    state,
    summary: `${facts.name}/${name} ${waits ?? tell(facts, { stage, record, state })}${anew}.`,
    blockers,
    notes: [
      ...sayGatesNext(blockers),
      ...(redo === undefined ? [] : [`done again on resume: ${redo}`]),
      ...sayItems(facts, name),
      ...sayCachedItems(record),
      ...sayRetries(retries),
      ...(await sayCrashesOf(store, facts, { stage: name, item: null })),
      ...sayNext(facts, name, state),
    ],
  };
}

interface Subject {
  readonly stage: StoredStage;
  readonly record: StageRecord | undefined;
  readonly state: StageRecord["state"];
}

function tell(facts: RunFacts, { stage, record, state }: Subject): string {
  switch (state) {
    case "pending":
      return tellPending(facts, stage);
    case "running":
      return tellRunning(facts, stage.name, record);
    case "waiting":
      return tellWaiting(facts, stage, record);
    case "succeeded":
      return tellSucceeded(facts, record);
    case "failed":
      return tellFailed(stage, record);
    case "upstream_failed":
      return tellUpstream(record);
    case "skipped":
      return `was skipped: ${sayWhySkipped(record?.reason ?? null)}`;
    case "cancelled":
      return `was cancelled: ${sayWhyCancelled(record?.reason ?? null, facts.run.failure?.stage)}`;
  }
}

function tellPending(facts: RunFacts, stage: StoredStage): string {
  const [first] = findStageBlockers(facts, stage.name);
  if (first === undefined) return "is pending: nothing stands in its way";
  return first.kind === "finished"
    ? `was not begun: the run has ended (${facts.run.state})`
    : `is pending: ${first.text}`;
}

function tellRunning(facts: RunFacts, name: string, record: StageRecord | undefined): string {
  const startedAtMs = record?.startedAtMs ?? null;
  const since = startedAtMs === null ? "" : ` ${saySince(startedAtMs, facts.nowMs)}`;
  const items = listRunningItems(facts, name).length;
  return `is running${since}${items === 0 ? "" : `: ${sayCount(items, "item")} at once`}`;
}

function tellWaiting(facts: RunFacts, stage: StoredStage, record: StageRecord | undefined): string {
  const next = `attempt ${(record?.attempts ?? 0) + 1} of ${stage.attempts}`;
  const dueMs = record?.dueAtMs ?? null;
  const when = dueMs === null ? "" : ` in ${formatDuration(Math.max(0, dueMs - facts.nowMs))}`;
  const failure = record?.failure ?? null;
  return `is waiting for ${next}${when}${failure === null ? "" : `, after ${sayFailure(failure)}`}`;
}

function isMap(record: StageRecord | undefined): boolean {
  return record !== undefined && record.itemCount !== null;
}

function tellSucceeded(facts: RunFacts, record: StageRecord | undefined): string {
  const durationMs = record?.durationMs ?? null;
  const took = durationMs === null ? "" : ` in ${formatDuration(durationMs)}`;
  if (record?.via === "cache") return "succeeded: its result was found in the cache";
  if (record?.via === "checkpoint") {
    const from = facts.run.parent === null ? "an earlier passage" : "the run it was made from";
    return `succeeded: its result was taken over from ${from}`;
  }
  // The attempts of a map are those of all its items: which of them needed several is theirs to tell.
  const attempts = isMap(record) ? 1 : (record?.attempts ?? 1);
  const tries = attempts > 1 ? `, in attempt ${attempts}` : "";
  return `succeeded${took}${tries}`;
}

function tellFailed(stage: StoredStage, record: StageRecord | undefined): string {
  const failure = record?.failure ?? null;
  if (failure === null) return "failed: no error was recorded";
  const poison = sayPoison(failure);
  if (poison !== undefined) return poison;
  const item = failure.item === undefined ? "" : `; first failed item: ${failure.item.key}`;
  if (isMap(record)) return `failed: ${sayFailure(failure)}${item}`;
  const tries =
    failure.attempts === 0
      ? "before its code was called"
      : failure.attempts < stage.attempts
        ? `after attempt ${failure.attempts} of ${stage.attempts}, and a failure of class "${failure.class}" is not tried again here`
        : `after ${failure.attempts} of ${sayCount(stage.attempts, "attempt")}`;
  return `failed ${tries}: ${sayFailure(failure)}${item}`;
}

function tellUpstream(record: StageRecord | undefined): string {
  const failure = record?.failure ?? null;
  if (failure?.stage === undefined) return "did not run: a stage it needs failed";
  // The message repeats who failed, for readers who see nothing else.
  const message = failure.message.replace(`stage "${failure.stage}" failed: `, "");
  return `did not run: it needs "${failure.stage}", which failed with ${sayFailure({ ...failure, message })}`;
}

function sayItems(facts: RunFacts, name: string): readonly string[] {
  const { items } = toStageView(facts, name);
  if (items === undefined) return [];
  const { total, ...states } = items;
  const told = Object.entries(states).flatMap(([state, count]) =>
    count === 0 ? [] : [`${count} ${state.replace("_", " ")}`],
  );
  return [`${sayCount(total, "item")}${told.length === 0 ? "" : `: ${told.join(", ")}`}`];
}

function sayNext(facts: RunFacts, name: string, state: StageRecord["state"]): readonly string[] {
  const failed = facts.itemCounts.get(name)?.failed ?? 0;
  const upstream = facts.records.get(name)?.failure?.stage;
  if (failed > 0) return [`lists them: npx millrace items ${facts.name}/${name} --state failed`];
  if (state !== "upstream_failed" || upstream === undefined) return [];
  return [`says more: npx millrace why ${facts.name}/${upstream}`];
}
