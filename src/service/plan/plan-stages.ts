// The decision for each stage of a plan, in the order of their needs: whether it would run, be read from a
// checkpoint or be skipped, and the reason in words. What only the run can tell is said to depend on it.

import type { StageRecord, StateCounts } from "../../model/checkpoint.ts";
import type { PipelineDefinition, StageDefinition } from "../../model/definition.ts";
import { listWaves } from "../../model/graph.ts";
import { decideReset, type StageReset } from "../../policy/reuse.ts";
import { choose, type Choice, type PlanOptions } from "./plan-selection.ts";
import { listFrom } from "../prepare-run.ts";
import type { CacheForecast } from "../queries/plan-cache.ts";

/** What a stage would do. `depends`: on a value that is not known yet. */
export type PlannedAction = "run" | "cache" | "checkpoint" | "skip" | "depends";

/** One stage as it is decided. */
export interface DecidedStage {
  readonly stage: string;
  readonly will: PlannedAction;
  readonly reason: string;
  /** Of a map: how many items would run, where that is known. */
  readonly items?: number;
}

/** A stage as far as it is decided. */
type Decision = Omit<DecidedStage, "stage">;

/** Decides every stage; in the order of the definition. */
export function decideStages(
  definition: PipelineDefinition,
  options: PlanOptions,
): readonly DecidedStage[] {
  const resets = listResets(definition, options);
  const chosen =
    options.verb === undefined || options.verb === "start"
      ? choose(definition, options)
      : undefined;
  const decisions = new Map<number, Decision>();
  for (const position of listWaves(definition.graph).flat()) {
    const stage = definition.stages[position];
    if (stage === undefined) continue;
    const at: Place = { definition, options, position, stage, decisions };
    decisions.set(
      position,
      chosen === undefined ? decideAgain(at, resets.get(stage.name)) : decideStart(at, chosen),
    );
  }
  return definition.stages.flatMap((stage, position) => {
    const decision = decisions.get(position);
    return decision === undefined ? [] : [{ stage: stage.name, ...decision }];
  });
}

interface Place {
  readonly definition: PipelineDefinition;
  readonly options: PlanOptions;
  readonly position: number;
  readonly stage: StageDefinition;
  /** Of everything the stage needs, already. */
  readonly decisions: ReadonlyMap<number, Decision>;
}

function decideStart(at: Place, chosen: Choice): Decision {
  const { stage, options } = at;
  if (options.skip?.includes(stage.name) === true)
    return { will: "skip", reason: "asked by --skip" };
  if (chosen.read.has(stage.name)) {
    return {
      will: "checkpoint",
      reason: `its result of run ${options.records?.run ?? "before"} is read`,
    };
  }
  if (!chosen.work.has(stage.name)) return { will: "skip", reason: `left out by ${chosen.flag}` };
  return decideFresh(at);
}

/** A stage that nothing was decided about but what it needs. */
function decideFresh(at: Place): Decision {
  const { definition, position, stage, decisions, options } = at;
  const needs = (definition.graph.needs[position] ?? []).flatMap((need) => {
    const name = definition.stages[need]?.name;
    const will = decisions.get(need)?.will;
    return name === undefined || will === undefined ? [] : [{ need, name, will }];
  });
  const rule = stage.trigger;
  if (rule === "all_failed" || rule === "one_failed") {
    return { will: "depends", reason: `trigger ${rule}: runs only after a failure` };
  }
  const hard = needs.filter(({ need }) => rule === "all_success" && isHard(at, need));
  const skipped = hard.find(({ will }) => will === "skip");
  if (skipped !== undefined) {
    return { will: "skip", reason: `needs "${skipped.name}", which is skipped` };
  }
  const open = hard.find(
    ({ will, need }) => will === "depends" && definition.stages[need]?.soft === true,
  );
  if (open !== undefined) {
    return { will: "depends", reason: `needs "${open.name}", which may be skipped` };
  }
  if (stage.when !== null) {
    return { will: "depends", reason: `when: ${describeFunction(stage.when)}` };
  }
  const names = needs.map(({ name }) => name);
  const follows = names.length === 0 ? "needs only the input" : `follows ${names.join(", ")}`;
  const fresh: Decision = { will: "run", ...describeItems(at, follows) };
  const forecast = options.cache?.get(stage.name);
  return forecast === undefined ? fresh : withCache(fresh, forecast);
}

/** What becomes of a stage that would run if the cache is asked first. */
function withCache(fresh: Decision, forecast: CacheForecast): Decision {
  switch (forecast.kind) {
    case "hit":
      return { will: "cache", reason: forecast.reason };
    case "miss":
      return {
        ...fresh,
        reason: forecast.reason ?? `${fresh.reason}; the cache has nothing of it`,
      };
    case "items":
      return withCachedItems(fresh, forecast);
    case "open":
      return { ...fresh, will: "depends", reason: `${fresh.reason}; unless the cache has it` };
  }
}

function withCachedItems(
  fresh: Decision,
  { cached, total }: Extract<CacheForecast, { kind: "items" }>,
): Decision {
  if (cached === total)
    return { will: "cache", reason: `all ${total} items made from the same before`, items: 0 };
  const left = total - cached;
  const reason = `${cached} of ${total} items are in the cache, ${left} changed or new`;
  return { ...fresh, reason, items: left };
}

/** True if the stage cannot run without this need's value. */
function isHard({ definition, stage }: Place, need: number): boolean {
  if (definition.stages[need]?.soft !== true) return true;
  const shapes = [
    ...stage.needs.map(({ shape }) => shape),
    ...(stage.map?.over.kind === "need" ? [stage.map.over.shape] : []),
  ];
  return shapes.some((shape) => shape.kind === "stage" && shape.stage === need && shape.required);
}

/** How many items a map would run, and when that is known. */
function describeItems(at: Place, follows: string): Pick<Decision, "reason" | "items"> {
  const { stage, definition, options } = at;
  const over = stage.map?.over;
  if (over === undefined) return { reason: follows };
  if (over.kind === "literal") return { reason: follows, items: over.items.length };
  if (over.kind === "function") return { reason: `${follows}; its list is made when it starts` };
  if (over.shape.kind === "input" && Array.isArray(options.input)) {
    return { reason: follows, items: options.input.length };
  }
  if (over.shape.kind !== "stage") return { reason: follows };
  const name = definition.stages[over.shape.stage]?.name ?? "";
  return { reason: `${follows}; count known after ${name}` };
}

const PREDICATE_CHARS_MAX = 80;

/** The author's own text, on one line. */
function describeFunction(value: (...args: never[]) => unknown): string {
  const text = String(value).replaceAll(/\s+/g, " ");
  return text.length <= PREDICATE_CHARS_MAX ? text : `${text.slice(0, PREDICATE_CHARS_MAX)}…`;
}

function listResets(
  definition: PipelineDefinition,
  options: PlanOptions,
): ReadonlyMap<string, StageReset> {
  const { verb, from, records } = options;
  if (verb === undefined || verb === "start") return new Map();
  const position = from === undefined ? undefined : definition.positions.get(from);
  if (from !== undefined) listFrom(definition, from);
  const counts = [...(records?.itemCounts ?? [])];
  const plan = decideReset(definition, records?.stages ?? [], {
    verb,
    unfinished: new Set(counts.flatMap(([stage, states]) => (countBad(states) > 0 ? [stage] : []))),
    ...(position === undefined ? {} : { from: [position] }),
  });
  return new Map(plan.stages.map((reset) => [reset.stage, reset]));
}

/** A stage of a run that goes on or is made again. */
function decideAgain(at: Place, reset: StageReset | undefined): Decision {
  const { stage, options } = at;
  const record = options.records?.stages.find((each) => each.stage === stage.name);
  const run = options.records?.run ?? "before";
  if (reset === undefined) return decideFresh(at);
  switch (reset.action) {
    case "keep":
      return record?.state === "skipped"
        ? { will: "skip", reason: `skipped in ${run}: ${record.reason ?? "no reason given"}` }
        : { will: "checkpoint", reason: `succeeded in ${run}` };
    case "recheck":
      return {
        will: "depends",
        reason: `${reset.reason ?? "judged again"}: kept if its input is equal`,
      };
    case "open":
      return decideOpen(at, record, run);
    case "drop": {
      const fresh = decideFresh(at);
      return reset.reason === null ? fresh : { ...fresh, reason: reset.reason };
    }
  }
}

const OPEN_WORDS: ReadonlyMap<string, string> = new Map([
  ["upstream_failed", "a stage it needs failed"],
  ["succeeded", "some of its items failed"],
]);

function decideOpen(at: Place, record: StageRecord | undefined, run: string): Decision {
  const fresh = decideFresh(at);
  if (record === undefined) return fresh;
  const word = OPEN_WORDS.get(record.state) ?? record.state;
  const message = record.failure === null ? "" : `: ${record.failure.message.slice(0, 80)}`;
  const left = countLeft(at, record);
  return {
    will: fresh.will,
    reason: `${word} in ${run}${message}`,
    ...(left === undefined ? {} : { items: left }),
  };
}

function countBad(states: StateCounts): number {
  return (states.failed ?? 0) + (states.cancelled ?? 0) + (states.upstream_failed ?? 0);
}

/** Items of a map that did not succeed yet. */
function countLeft({ options, stage }: Place, record: StageRecord): number | undefined {
  if (record.itemCount === null) return undefined;
  const counts = options.records?.itemCounts?.get(stage.name) ?? {};
  return Math.max(0, record.itemCount - (counts.succeeded ?? 0) - (counts.skipped ?? 0));
}
