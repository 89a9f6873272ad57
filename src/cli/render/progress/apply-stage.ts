// What events of stages change in the picture of a run.

import type { EventType, MillraceEvent } from "../../../model/event.ts";
import type { StageEndState } from "../../../model/outcome.ts";
import { STOPPED_EARLY } from "../../../model/stage/stage-options.ts";
import { endOf, numberField, readFailure, textField, viaField } from "./event-fields.ts";
import type { LogLine } from "./log-tails.ts";
import {
  abandonItems,
  addItems,
  closeWork,
  holdWork,
  itemsOf,
  moveStage,
  openWork,
} from "./open-work.ts";
import type { Applied, Progress } from "./progress.ts";
import { RateMeter } from "./rate-meter.ts";
import type { StageProgress } from "./stage-progress.ts";

/** Takes an event of a stage into the picture. */
export function applyStageEvent(
  progress: Progress,
  stage: StageProgress,
  event: MillraceEvent,
): Applied {
  const end = endOf(event);
  if (end !== undefined) return endStage(progress, stage, { event, end });
  if (event.type === "stage.logged") {
    return { event, stage, isFailure: false, tail: [], logLine: keepLine(progress, stage, event) };
  }
  STAGE_CHANGES[event.type]?.(progress, stage, event);
  return { event, stage, isFailure: false, tail: [] };
}

type StageChange = (progress: Progress, stage: StageProgress, event: MillraceEvent) => void;

const STAGE_CHANGES: Readonly<Partial<Record<EventType, StageChange>>> = {
  "stage.started": startStage,
  "stage.expanded": expandStage,
  "stage.waiting": (progress, stage, event) => {
    moveStage(progress, stage, "waiting");
    holdWork(progress, stage, { key: "", event });
  },
  "stage.progressed": (_progress, stage, event) => {
    if (event.item === undefined) stage.reported = readReported(event);
  },
  "stage.fell_silent": (_progress, stage, event) => {
    stage.silentMs = numberField(event, "silentMs");
  },
};

function startStage(progress: Progress, stage: StageProgress, event: MillraceEvent): void {
  stage.startedAtMs ??= event.atMs;
  stage.attempts = Math.max(stage.attempts, event.attempt ?? 1);
  stage.silentMs = undefined;
  moveStage(progress, stage, "running");
  // Of a map the items are the work; the stage itself takes no slot.
  if (stage.kind !== "map") openWork(progress, stage, { key: "", event });
}

function expandStage(progress: Progress, stage: StageProgress, event: MillraceEvent): void {
  stage.startedAtMs ??= event.atMs;
  stage.rate ??= new RateMeter(event.atMs);
  moveStage(progress, stage, "running");
  const total = numberField(event, "items") ?? 0;
  const kept = numberField(event, "kept") ?? 0;
  const items = itemsOf(stage);
  const added = Math.max(0, total - items.total);
  addItems(progress, stage, { state: "pending", count: added });
  const keptNow = Math.min(kept, items.pending);
  addItems(progress, stage, { state: "pending", count: -keptNow });
  addItems(progress, stage, { state: "succeeded", count: keptNow });
  stage.kept += keptNow;
}

function endStage(
  progress: Progress,
  stage: StageProgress,
  { event, end }: { readonly event: MillraceEvent; readonly end: StageEndState },
): Applied {
  closeWork(progress, stage, { key: "", atMs: event.atMs });
  if (stage.items !== undefined) abandonItems(progress, stage, event.atMs);
  // A kept stage may be told once more, when its checkpoint has been looked at.
  const isKnown = stage.state === "succeeded" && end === "succeeded";
  moveStage(progress, stage, end);
  stage.endedAtMs = event.atMs;
  stage.durationMs = numberField(event, "durationMs") ?? elapsed(stage.startedAtMs, event.atMs);
  stage.attempts = Math.max(stage.attempts, numberField(event, "attempts") ?? 0);
  stage.reason = textField(event, end === "upstream_failed" ? "stage" : "reason");
  const tail = end === "failed" ? progress.logs.of(stage.name, undefined) : [];
  progress.logs.forget(stage.name, undefined);
  if (end === "succeeded" && !isKnown) stage.via = viaField(event);
  if (end === "succeeded" && stage.kind !== "map" && stage.attempts > 1) progress.retried += 1;
  if (end !== "failed") return { event, stage, isFailure: false, tail };
  const failure = readFailure(event);
  stage.failure = { class: failure.class, message: failure.message };
  const isOfItems = (stage.items?.failed ?? 0) > 0;
  if (isOfItems && failure.message.startsWith(STOPPED_EARLY)) {
    // Why it stopped is news; its other lines, and its fingerprint, are those of its items.
    const [message = ""] = failure.message.split("\n", 1);
    const own = { ...failure, message, fingerprint: STOPPED_EARLY, firstItem: undefined };
    return { event, stage, tail, ...progress.failures.add(own) };
  }
  // A map that fails because of its items repeats what they said.
  if (isOfItems) return { event, stage, isFailure: false, tail };
  return { event, stage, tail, ...progress.failures.add(failure) };
}

function keepLine(progress: Progress, stage: StageProgress, event: MillraceEvent): LogLine {
  const line: LogLine = {
    atMs: event.atMs,
    stage: stage.name,
    item: event.item,
    level: textField(event, "level") ?? "info",
    text: textField(event, "message") ?? "",
  };
  progress.logs.add(line);
  return line;
}

function readReported(event: MillraceEvent): StageProgress["reported"] {
  const total = numberField(event, "total");
  const note = textField(event, "note");
  return {
    done: numberField(event, "done") ?? 0,
    ...(total === undefined ? {} : { total }),
    ...(note === undefined ? {} : { note }),
  };
}

function elapsed(fromMs: number | undefined, toMs: number): number | undefined {
  return fromMs === undefined ? undefined : Math.max(0, toMs - fromMs);
}
