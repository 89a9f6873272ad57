// What stands in the way of a stage or item, first the one that matters most: the run's own wait, needs that
// are not finished, the wait for a retry, a free place.

import type { Blocker } from "../../model/blocker.ts";
import type { ItemRecord } from "../../model/checkpoint.ts";
import type { StageState } from "../../model/outcome.ts";
import { isRunOver } from "../../model/run.ts";
import { findRunBlocker, isGateReason } from "../views/run-view.ts";
import { findItemGates, findWaitBlocker } from "../views/stage-view.ts";
import { stageStateOf, type RunFacts } from "./run-facts.ts";

/** Blockers of a stage; empty while it runs, one of kind `finished` once it has ended. */
export function findStageBlockers(facts: RunFacts, name: string): readonly Blocker[] {
  const state = stageStateOf(facts, name);
  if (state === "running") return findItemGates(facts, name);
  if (isOver(state)) return [finished(name, state, facts.records.get(name)?.endedAtMs ?? null)];
  const needs = findNeedBlockers(facts, name);
  const record = facts.records.get(name);
  const wait =
    state === "waiting" && record !== undefined ? findWaitBlocker(record, name) : undefined;
  const items = findItemGates(facts, name);
  const ofRun = findOuterBlockerOf(facts, wait ?? items[0]);
  const found = [ofRun, wait, ...items, ...needs].filter((blocker) => blocker !== undefined);
  if (found.length > 0 || facts.run.state !== "running") return found;
  return [toSlotBlocker(facts, name)];
}

/** Blockers of an item, by the same rules. */
export function findItemBlockers(facts: RunFacts, item: ItemRecord): readonly Blocker[] {
  if (item.state === "running") return [];
  if (isOver(item.state)) return [finished(item.key, item.state, item.endedAtMs)];
  const wait = item.state === "waiting" ? findWaitBlocker(item, item.key) : undefined;
  const ofRun = findOuterBlockerOf(facts, wait);
  const found = [ofRun, wait].filter((blocker) => blocker !== undefined);
  return found.length > 0 ? found : [toSlotBlocker(facts, item.stage)];
}

/** What holds the whole run, unless it was parked for what this stage or item says itself. */
function findOuterBlockerOf(facts: RunFacts, own: Blocker | undefined): Blocker | undefined {
  const { run } = facts;
  const isOwn = own !== undefined && run.state === "waiting" && isGateReason(run.reason);
  return isOwn ? undefined : findOuterBlocker(facts);
}

/** What holds the whole run, so that nothing in it moves. */
function findOuterBlocker(facts: RunFacts): Blocker | undefined {
  const { run } = facts;
  if (run.state === "waiting" || facts.isAbandoned) return findRunBlocker(facts);
  if (run.state === "queued") {
    return {
      kind: "no-worker",
      name: facts.name,
      sinceMs: run.queuedAtMs,
      basis: "unknown",
      text: "the run is queued; no process has taken it yet",
    };
  }
  return isRunOver(run.state) ? finished(facts.name, run.state, run.endedAtMs) : undefined;
}

function findNeedBlockers(facts: RunFacts, name: string): readonly Blocker[] {
  const stage = facts.stages.find((each) => each.name === name);
  return (stage?.needs ?? []).flatMap((need) => {
    const state = stageStateOf(facts, need);
    if (isOver(state)) return [];
    const blocker: Blocker = {
      kind: "needs",
      name: need,
      basis: "unknown",
      text: `needs "${need}", which is ${state}`,
    };
    return [blocker];
  });
}

function toSlotBlocker(facts: RunFacts, name: string): Blocker {
  const limit = facts.run.settings.concurrency;
  const at = limit === undefined ? "" : ` (${limit} at once)`;
  return {
    kind: "slot",
    name,
    ...(facts.running.length === 0
      ? {}
      : { holders: facts.running.slice(0, 10).map((address) => `${facts.name}/${address}`) }),
    basis: "unknown",
    text: `ready; waits for a free place${at}`,
  };
}

function finished(name: string, state: string, endedAtMs: number | null): Blocker {
  return {
    kind: "finished",
    name,
    ...(endedAtMs === null ? {} : { sinceMs: endedAtMs }),
    basis: "exact",
    text: `it has ended: ${state.replace("_", " ")}`,
  };
}

/** True for the states that end a stage or item. */
export function isOver(state: StageState): boolean {
  return state !== "pending" && state !== "running" && state !== "waiting";
}
