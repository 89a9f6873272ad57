// A stage of a run as documents show it.

import type { StageRecord } from "../../model/checkpoint.ts";
import { BLOCKER_KINDS, type Blocker, type BlockerKind } from "../../model/blocker.ts";
import type { StageState, Via } from "../../model/outcome.ts";
import { stageStateOf, type RunFacts } from "../queries/run-facts.ts";
import { toBlockerView, type BlockerView } from "./blocker-view.ts";
import { toCounts, type CountsView } from "./counts-view.ts";
import { toFailureView, type FailureView } from "./failure-view.ts";
import { toGateBlocker } from "./gate-blocker.ts";
import { toIso, toWholeMs, toWholeWaits } from "./time-view.ts";

/** One stage of a run. */
export interface StageView {
  readonly stage: string;
  readonly state: StageState;
  readonly via?: Via;
  readonly attempts: number;
  /** Attempts it may have in all. */
  readonly attemptsMax?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly waitedMs: Readonly<Record<string, number>>;
  /** Of map stages whose list is known. */
  readonly items?: CountsView;
  readonly blocker?: BlockerView;
  readonly error?: FailureView;
  /** Of skipped and cancelled stages. */
  readonly reason?: string;
  /** False: its failure is a warning. */
  readonly critical?: boolean;
  readonly cpuMs?: number;
  readonly peakBytes?: number;
}

/** Every stage of a run, those without a row included, in the order of their needs. */
export function toStageViews(facts: RunFacts): readonly StageView[] {
  return facts.stages.map((stage) => toStageView(facts, stage.name));
}

/** One stage; the name must be one of the run's. */
export function toStageView(facts: RunFacts, name: string): StageView {
  const record = facts.records.get(name);
  const stage = facts.stages.find((each) => each.name === name);
  const state = stageStateOf(facts, name);
  const blocker = record === undefined ? undefined : findWaitBlocker(record, name);
  const ofItems = findItemGates(facts, name)[0];
  const items = toItemCounts(facts, name, record);
  return {
    stage: name,
    state,
    attempts: record?.attempts ?? 0,
    ...(stage === undefined ? {} : { attemptsMax: stage.attempts, critical: stage.critical }),
    ...(record === undefined ? {} : toTimes(record)),
    waitedMs: toWholeWaits(record?.waitedMs ?? {}),
    ...(items === undefined ? {} : { items }),
    ...(blocker === undefined || state !== "waiting" ? {} : { blocker: toBlockerView(blocker) }),
    ...(ofItems === undefined ? {} : { blocker: toBlockerView(ofItems) }),
    ...(record === undefined ? {} : toOutcome(record)),
  };
}

function toTimes(record: StageRecord): Pick<StageView, "startedAt" | "endedAt" | "durationMs"> {
  return {
    ...(record.startedAtMs === null ? {} : { startedAt: toIso(record.startedAtMs) }),
    ...(record.endedAtMs === null ? {} : { endedAt: toIso(record.endedAtMs) }),
    ...(record.durationMs === null ? {} : { durationMs: toWholeMs(record.durationMs) }),
  };
}

function toOutcome(
  record: StageRecord,
): Pick<StageView, "via" | "error" | "reason" | "cpuMs" | "peakBytes"> {
  const { via, failure, reason, cpuMs, peakBytes, stage, state } = record;
  // Of `upstream_failed` the failure names the stage that failed, which is what a reader must see.
  const place = state === "upstream_failed" ? {} : { stage };
  return {
    ...(via === null ? {} : { via }),
    ...(failure === null ? {} : { error: toFailureView(failure, place) }),
    ...(reason === null ? {} : { reason }),
    ...(cpuMs === null ? {} : { cpuMs: toWholeMs(cpuMs) }),
    ...(peakBytes === null ? {} : { peakBytes }),
  };
}

function toItemCounts(
  facts: RunFacts,
  name: string,
  record: StageRecord | undefined,
): CountsView | undefined {
  const stored = facts.itemCounts.get(name);
  const itemCount = record?.itemCount ?? null;
  return stored === undefined && itemCount === null ? undefined : toCounts(stored ?? {}, itemCount);
}

/** For which resources items of a stage wait, each once; none where it has ended, or nothing of it waits. */
export function findItemGates(facts: RunFacts, name: string): readonly Blocker[] {
  const gates = new Map<string, Blocker>();
  for (const item of facts.waitingItems.get(name) ?? []) {
    const blocker = toGateBlocker(item);
    const known = `${blocker?.kind} ${blocker?.name}`;
    if (blocker !== undefined && !gates.has(known)) gates.set(known, blocker);
  }
  return [...gates.values()];
}

/** What a waiting stage or item waits for, from its row. */
export function findWaitBlocker(
  record: Pick<StageRecord, "blocker" | "dueAtMs" | "attempts" | "endedAtMs" | "trail">,
  name: string,
): Blocker | undefined {
  if (record.blocker === null) return undefined;
  const gate = toGateBlocker(record);
  if (gate !== undefined) return gate;
  const kind = toBlockerKind(record.blocker);
  const { dueAtMs } = record;
  return {
    kind,
    name,
    ...(dueAtMs === null ? {} : { expectedAtMs: dueAtMs }),
    basis: dueAtMs === null ? "unknown" : "exact",
    text:
      kind === "retry" ? `waits for attempt ${record.attempts + 1}` : `waits: ${record.blocker}`,
  };
}

function toBlockerKind(text: string): BlockerKind {
  return BLOCKER_KINDS.find((kind) => kind === text) ?? "retry";
}
