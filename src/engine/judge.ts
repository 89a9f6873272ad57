// A stage is reached: all its needs are finished. Does it run, or does it end without running, and how?

import type { NeedShape, StageDefinition } from "../model/definition.ts";
import type { Ending, Failure, StageEndState } from "../model/outcome.ts";
import { decideTrigger, type NeedEnding, type TriggerDecision } from "../policy/trigger.ts";
import type { RunCore } from "./run-core.ts";
import { isEnded, type StageRun } from "./stage-run.ts";

/** The ending of a stage that does not run; null if it does. */
export function judge(core: RunCore, stageRun: StageRun): Ending | null {
  const { name, trigger, idempotent, map } = stageRun.definition;
  if (core.isLeftOut(name)) return { state: "skipped", reason: "operator" };
  // The items of a map have starts of their own.
  if (!idempotent && map === null && stageRun.candidate?.state === "running")
    return { state: "failed", failure: ambiguousFailure(`"${name}"`) };
  const poison = core.isolation === null ? null : core.isolation.judgeStage(stageRun);
  if (poison !== null) return { state: "failed", failure: poison };
  // The usual case allocates nothing: every need succeeded.
  if (stageRun.unmet === 0 && trigger === "all_success") return null;
  const decision = decideTrigger(trigger, listEndings(core, stageRun));
  return toEnding(core, decision);
}

/** What must not be repeated unseen was running when its process died. */
function ambiguousFailure(subject: string): Failure {
  return {
    class: "ambiguous",
    message: `${subject} had started when its process died; it is not idempotent, so it is not repeated unasked`,
    attempts: 1,
    fingerprint: "ambiguous",
  };
}

/** The same, of an item. */
export function ambiguousItem({ definition }: StageRun, key: string): Failure {
  return ambiguousFailure(`item "${key}" of "${definition.name}"`);
}

function listEndings(core: RunCore, stageRun: StageRun): readonly NeedEnding[] {
  const required = listRequired(stageRun.definition);
  const needs = core.definition.graph.needs[stageRun.index] ?? [];
  return needs.flatMap((index) => {
    const need = core.stageAt(index);
    if (!isEnded(need)) return []; // a map that is followed item by item has no ending yet
    return [
      {
        name: need.definition.name,
        // isEnded has excluded the three open states.
        state: need.state as StageEndState,
        soft: need.definition.soft && !required.has(index),
      },
    ];
  });
}

/** The need behind whose failure this stage can only stand; undefined if there is none yet. One that failed
 *  itself is named before one that only stands behind a failure. */
export function findFailedNeed(core: RunCore, stageRun: StageRun): string | undefined {
  const { definition, index } = stageRun;
  const isRaw = definition.trigger !== "all_success"; // rules on raw endings know no softness
  let behind: string | undefined;
  for (const position of core.definition.graph.needs[index] ?? []) {
    const { state, definition: need } = core.stageAt(position);
    if (state !== "failed" && state !== "upstream_failed") continue;
    if (!isRaw && need.soft && !listRequired(definition).has(position)) continue;
    if (state === "failed") return need.name;
    behind ??= need.name;
  }
  return behind;
}

function listRequired(stage: StageDefinition): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (shape: NeedShape): void => {
    if (shape.kind === "list") for (const part of shape.parts) visit(part);
    if (shape.kind === "stage" && shape.required) found.add(shape.stage);
  };
  for (const need of stage.needs) visit(need.shape);
  if (stage.map?.over.kind === "need") visit(stage.map.over.shape);
  return found;
}

function toEnding(core: RunCore, decision: TriggerDecision): Ending | null {
  switch (decision.kind) {
    case "run":
      return null;
    case "skip":
      return { state: "skipped", reason: decision.reason };
    case "upstream_failed":
      return upstreamFailed(core, decision.because);
    case "cancel": {
      const position = core.definition.positions.get(decision.because) ?? -1;
      const reason = core.stages[position]?.reason ?? "cancelled";
      return { state: "cancelled", reason };
    }
  }
}

/** The ending of a stage behind one that failed: it names the stage that failed first. */
export function upstreamFailed(core: RunCore, need: string): Ending {
  const position = core.definition.positions.get(need) ?? -1;
  const cause = core.stages[position]?.failure ?? null;
  const origin = cause?.stage ?? need;
  const failure: Failure = {
    class: cause?.class ?? "unknown",
    message:
      cause?.stage === undefined
        ? `stage "${origin}" failed: ${cause?.message ?? ""}`
        : cause.message,
    attempts: 0,
    fingerprint: cause?.fingerprint ?? "",
    stage: origin,
  };
  return { state: "upstream_failed", failure };
}
