// All that a store tells of one run, read once, with the questions that views and `why` ask of it: which
// stages there are, what each is doing now, and who works on the run. From rows and beats alone, so that any
// process can ask about a run that another one works on.

import type { ItemRecord, StageRecord, StateCounts } from "../../model/checkpoint.ts";
import { LEASE_GRACE_MS_DEFAULT } from "../../model/defaults.ts";
import { MillraceError } from "../../model/errors.ts";
import type { StageState } from "../../model/outcome.ts";
import { isRunOver, type RunRecord } from "../../model/run.ts";
import type { Store, WorkerRecord } from "../../storage/store.ts";
import { systemMachine, type Machine } from "../../std/machine.ts";
import type { WorkEntry } from "../../model/worker.ts";
import { findNearest } from "../../std/nearest.ts";
import type { StoredDefinition, StoredStage } from "../views/definition-view.ts";
import { runName } from "./find-run.ts";
import { readStoredDefinition } from "./stored-definition.ts";

/** What is known of one run at one moment. */
export interface RunFacts {
  readonly run: RunRecord;
  readonly name: string;
  /** Stages in the order of their needs. Without a stored definition, those that have a row. */
  readonly stages: readonly StoredStage[];
  readonly definition: StoredDefinition | undefined;
  readonly records: ReadonlyMap<string, StageRecord>;
  readonly itemCounts: ReadonlyMap<string, StateCounts>;
  /** The first items that wait, by stage, at most 10 each; empty for a run that has ended. */
  readonly waitingItems: ReadonlyMap<string, readonly ItemRecord[]>;
  /** True: the process that worked on the run is gone, although nobody has written so yet. */
  readonly isAbandoned: boolean;
  /** The process that works on the run, if one says so. */
  readonly worker: WorkerRecord | undefined;
  /** `stage` or `stage/key` of what that process runs now. */
  readonly running: readonly string[];
  /** Of the store's clock. */
  readonly nowMs: number;
}

/**
 * Reads a run.
 * @param machine Tells whether a process on this machine is gone. Default: the machine we run on.
 */
export async function readRunFacts(
  store: Store,
  run: RunRecord,
  machine: Pick<Machine, "isGone"> = systemMachine,
): Promise<RunFacts> {
  const [records, itemCounts, definition, workers] = await Promise.all([
    store.listStages(run.id),
    store.countItems(run.id),
    readStoredDefinition(store, run.definitionHash),
    run.state === "running" ? store.listWorkers() : Promise.resolve([]),
  ]);
  const worker = workers.find((each) => each.owner.worker === run.lease?.owner.worker);
  const name = runName(run);
  const nowMs = store.nowMs();
  const isAbandoned = isGone(run, machine, nowMs);
  return {
    run,
    name,
    isAbandoned,
    stages: definition?.stages ?? records.map(toBareStage),
    definition,
    records: new Map(records.map((record) => [record.stage, record])),
    itemCounts,
    waitingItems: await readWaitingItems(store, run, itemCounts),
    worker,
    running: isAbandoned ? [] : listRunning(worker, [run.id, name]),
    nowMs,
  };
}

const WAITING_ITEMS_MAX = 10;

async function readWaitingItems(
  store: Store,
  run: RunRecord,
  counts: ReadonlyMap<string, StateCounts>,
): Promise<ReadonlyMap<string, readonly ItemRecord[]>> {
  const found = new Map<string, readonly ItemRecord[]>();
  if (isRunOver(run.state)) return found;
  for (const [stage, { waiting = 0 }] of counts) {
    if (waiting === 0) continue;
    const query = { runId: run.id, stage, states: ["waiting"], limit: WAITING_ITEMS_MAX } as const;
    found.set(stage, await store.listItems(query));
  }
  return found;
}

/** Proven dead, or nobody can tell and its lease is over by more than the grace. */
function isGone(run: RunRecord, machine: Pick<Machine, "isGone">, nowMs: number): boolean {
  if (run.state !== "running") return false;
  if (run.lease === null) return true;
  return machine.isGone(run.lease.owner) ?? nowMs > run.lease.expiresAtMs + LEASE_GRACE_MS_DEFAULT;
}

/** A stage of a run whose definition is gone: only its name is sure. */
function toBareStage(record: StageRecord): StoredStage {
  return {
    name: record.stage,
    kind: record.itemCount === null ? "stage" : "map",
    needs: [],
    trigger: "all_success",
    critical: true,
    soft: false,
    attempts: 1,
    timeoutMs: null,
    deadlineMs: null,
    over: null,
  };
}

function listRunning(
  worker: WorkerRecord | undefined,
  names: readonly string[],
): readonly string[] {
  return (worker?.running ?? []).flatMap((address) => {
    const cut = address.indexOf("/");
    return cut > 0 && names.includes(address.slice(0, cut)) ? [address.slice(cut + 1)] : [];
  });
}

/** State of a stage now. What a beat calls running is running; nothing is while nobody works on the run. */
export function stageStateOf(facts: RunFacts, stage: string): StageState {
  const record = facts.records.get(stage);
  const stored = record?.state ?? "pending";
  if (stored !== "pending" && stored !== "running" && stored !== "waiting") return stored;
  if (facts.run.state !== "running" || facts.isAbandoned)
    return stored === "running" ? "pending" : stored;
  if (isRunningNow(facts, stage)) return "running";
  return stored === "running" && record?.blocker !== null ? "waiting" : stored;
}

/** True if the working process says that it runs the stage, or one of its items. */
function isRunningNow(facts: RunFacts, stage: string): boolean {
  return facts.running.some((address) => address === stage || address.startsWith(`${stage}/`));
}

/** Keys of the items of a stage that run now. */
export function listRunningItems(facts: RunFacts, stage: string): readonly string[] {
  const prefix = `${stage}/`;
  return facts.running.flatMap((address) =>
    address.startsWith(prefix) ? [address.slice(prefix.length)] : [],
  );
}

/** Attempts at items of a stage that run now, as the working process said last. */
export function listWork(
  { isAbandoned, worker, run, name }: RunFacts,
  stage: string,
): readonly WorkEntry[] {
  const work = isAbandoned ? [] : (worker?.facts?.work ?? []);
  return work.filter(
    (entry) => entry.stage === stage && (entry.run === name || entry.run === run.id),
  );
}

/** The stage of this name; STAGE_UNKNOWN lists the valid ones. */
export function getStage(facts: RunFacts, name: string): StoredStage {
  const known = facts.stages.map((stage) => stage.name);
  const found = facts.stages.find((stage) => stage.name === name);
  if (found !== undefined) return found;
  const near = findNearest(name, known);
  throw new MillraceError("STAGE_UNKNOWN", `Run "${facts.name}" has no stage "${name}".`, {
    ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
    next: `npx millrace show ${facts.name}${near === undefined ? "" : `/${near}`}`,
    details: { given: name, known: known.slice(0, 100) },
  });
}
