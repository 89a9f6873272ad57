// A run as documents show it: the record of the store, with moments as text, waits and items summed over its
// stages, and what is running now.

import type { Blocker } from "../../model/blocker.ts";
import type { RunSums } from "../../model/checkpoint.ts";
import type { RunRecord, RunSettings, RunState } from "../../model/run.ts";
import { runName } from "../queries/find-run.ts";
import { listRunningItems, stageStateOf, type RunFacts } from "../queries/run-facts.ts";
import { toBlockerView, type BlockerView } from "./blocker-view.ts";
import { sumItemCounts, type CountsView } from "./counts-view.ts";
import { toFailureView, type FailureView } from "./failure-view.ts";
import { GATE_KINDS } from "../../model/resource/gate-wait.ts";
import { toGateBlocker } from "./gate-blocker.ts";
import { findItemGates, findWaitBlocker } from "./stage-view.ts";
import { toIso, toWholeMs, toWholeWaits } from "./time-view.ts";

/** One run. */
export interface RunView {
  readonly id: string;
  /** Short name. */
  readonly name: string;
  readonly key?: string;
  readonly pipeline: string;
  /** Hash of its definition. */
  readonly definition: string;
  readonly state: RunState;
  readonly reason?: string;
  readonly warnings: number;
  readonly resumes: number;
  /** Attempts that ended in a retry. */
  readonly retries: number;
  readonly crashes: number;
  /** Id of the run it was made from or started by. */
  readonly parent?: string;
  /** Id of the batch it was enqueued with. */
  readonly batch?: string;
  /** Of a run that was enqueued with one; absent: 0. */
  readonly priority?: number;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  /** What it was started with. */
  readonly settings: RunSettings;
  readonly queuedAt: string;
  readonly startedAt?: string;
  readonly updatedAt: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  /** Over all its stages, by cause. */
  readonly waitedMs: Readonly<Record<string, number>>;
  /** Of all its map stages. */
  readonly items: CountsView;
  /** Stages that run now. */
  readonly running: readonly string[];
  readonly blocker?: BlockerView;
  readonly error?: FailureView;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The view of a run. */
export function toRunView(facts: RunFacts): RunView {
  const { run, records, itemCounts } = facts;
  return toView(run, {
    sums: { stages: [...records.values()], itemCounts },
    running: facts.stages.flatMap(({ name }) =>
      stageStateOf(facts, name) === "running" ? [name] : [],
    ),
    blocker: findRunBlocker(facts),
  });
}

/** True for a run on which nobody works and whose wait, if it has one, its own row names: sums are all that its view needs. */
export function isAtRest({ state, reason }: Pick<RunRecord, "state" | "reason">): boolean {
  return state === "waiting" ? !isGateReason(reason) : state !== "running";
}

/** The view of a run at rest. */
export function toRestingView(run: RunRecord, sums: RunSums): RunView {
  const blocker = run.state === "waiting" ? toOwnBlocker(run, run.reason) : undefined;
  return toView(run, { sums, running: [], blocker });
}

interface ViewParts {
  readonly sums: RunSums;
  readonly running: readonly string[];
  readonly blocker: Blocker | undefined;
}

function toView(run: RunRecord, { sums, running, blocker }: ViewParts): RunView {
  return {
    ...toIdentity(run, runName(run)),
    warnings: run.warnings,
    resumes: run.resumes,
    retries: run.retries,
    crashes: run.crashes,
    ...(run.parent === null ? {} : { parent: run.parent }),
    ...(run.batch === null ? {} : { batch: run.batch }),
    ...(run.priority === 0 ? {} : { priority: run.priority }),
    source: run.source,
    tags: run.tags,
    settings: run.settings,
    ...toRunTimes(run),
    waitedMs: sumWholeWaits(sums.stages),
    items: sumItemCounts(sums.stages, sums.itemCounts),
    running,
    ...(blocker === undefined ? {} : { blocker: toBlockerView(blocker) }),
    ...(run.failure === null ? {} : { error: toFailureView(run.failure) }),
    metrics: run.metrics,
  };
}

function toIdentity(
  run: RunRecord,
  name: string,
): Pick<RunView, "id" | "name" | "key" | "pipeline" | "definition" | "state" | "reason"> {
  return {
    id: run.id,
    name,
    ...(run.key === null ? {} : { key: run.key }),
    pipeline: run.pipeline,
    definition: run.definitionHash,
    state: run.state,
    ...(run.reason === null ? {} : { reason: run.reason }),
  };
}

function toRunTimes(
  run: RunRecord,
): Pick<RunView, "queuedAt" | "startedAt" | "updatedAt" | "endedAt" | "durationMs"> {
  return {
    queuedAt: toIso(run.queuedAtMs),
    ...(run.startedAtMs === null ? {} : { startedAt: toIso(run.startedAtMs) }),
    updatedAt: toIso(run.updatedAtMs),
    ...(run.endedAtMs === null ? {} : { endedAt: toIso(run.endedAtMs) }),
    ...(run.durationMs === null ? {} : { durationMs: toWholeMs(run.durationMs) }),
  };
}

function sumWholeWaits(stages: RunSums["stages"]): Readonly<Record<string, number>> {
  // Of most runs no stage says anything.
  return stages.length === 0 ? {} : toWholeWaits(sumWaits(stages.map(({ waitedMs }) => waitedMs)));
}

/** Time spent waiting over several stages or items, by cause. */
export function sumWaits(
  waits: readonly Readonly<Record<string, number>>[],
): Readonly<Record<string, number>> {
  const sum: Record<string, number> = {};
  for (const wait of waits) {
    for (const [cause, ms] of Object.entries(wait)) sum[cause] = (sum[cause] ?? 0) + ms;
  }
  return sum;
}

/** What stands in a run's way: its own reason while it waits, else its first stage of which nothing but a wait goes on. */
export function findRunBlocker(facts: RunFacts): Blocker | undefined {
  const { run } = facts;
  if (run.state === "waiting" || facts.isAbandoned) return toRunBlocker(facts);
  if (run.state !== "running") return undefined;
  const waiting = facts.stages.find(({ name }) => stageStateOf(facts, name) === "waiting");
  const record = waiting === undefined ? undefined : facts.records.get(waiting.name);
  return record === undefined ? findIdleGate(facts) : findWaitBlocker(record, record.stage);
}

/** For what the items of a map wait of which none runs. */
function findIdleGate(facts: RunFacts): Blocker | undefined {
  const idle = facts.stages.filter(({ name }) => listRunningItems(facts, name).length === 0);
  return idle.flatMap(({ name }) => findItemGates(facts, name))[0];
}

/** For which resources stages and items of a run wait, each once, in the order of its stages. */
export function listGates(facts: RunFacts): readonly Blocker[] {
  const gates = facts.stages.flatMap(({ name }) => {
    const record = facts.records.get(name);
    const own = record?.state === "waiting" ? toGateBlocker(record) : undefined;
    return own === undefined ? findItemGates(facts, name) : [own];
  });
  const known = new Set<string>();
  return gates.filter(({ kind, name }) => {
    const isNew = !known.has(`${kind} ${name}`);
    known.add(`${kind} ${name}`);
    return isNew;
  });
}

/** True for the reasons of runs that wait for a resource. */
export function isGateReason(reason: string | null): boolean {
  return GATE_KINDS.some((kind) => kind === reason);
}

function toRunBlocker(facts: RunFacts): Blocker {
  const { run, isAbandoned } = facts;
  const reason = isAbandoned ? null : run.reason;
  if (isGateReason(reason)) {
    const gates = listGates(facts);
    const gate = gates.find(({ kind }) => kind === reason) ?? gates[0];
    if (gate !== undefined) return gate;
  }
  return toOwnBlocker(run, reason);
}

/** What a run waits for by its own row. Without a reason nobody works on it any more. */
function toOwnBlocker(run: RunRecord, reason: string | null): Blocker {
  if (reason !== null && reason !== "interrupted") return toWaitBlocker(run, reason);
  return {
    kind: "interrupted",
    name: runName(run),
    sinceMs: run.updatedAtMs,
    basis: "unknown",
    text: run.foreground
      ? "the process that worked on it is gone or was stopped; it goes on with resume"
      : "the process that worked on it is gone; whoever works its queue goes on with it",
  };
}

/** A run that waits by its own will, until a time or until something clears. */
function toWaitBlocker({ updatedAtMs, wakeAtMs }: RunRecord, reason: string): Blocker {
  const kind = toKind(reason);
  const of = { kind, name: reason, sinceMs: updatedAtMs } as const;
  if (wakeAtMs === null) return { ...of, basis: "unknown", text: `waits: ${reason}` };
  const untilText = toIso(wakeAtMs);
  const text =
    kind === "due" ? `not due before ${untilText}` : `held back until ${untilText} (${reason})`;
  return { ...of, expectedAtMs: wakeAtMs, basis: "exact", text };
}

const RUN_KINDS: readonly Blocker["kind"][] = [
  "due",
  "retry",
  "limit",
  "quota",
  "breaker",
  "budget",
  "busy",
  "policy",
  "no-worker",
  "paused",
  "local-resource",
];

function toKind(reason: string): Blocker["kind"] {
  return RUN_KINDS.find((kind) => kind === reason) ?? "interrupted";
}
