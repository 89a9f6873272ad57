// Finds the stages of a pipeline: in the typed form by following needs from outputs and sinks, in the untyped
// form from the list. In the order of writing, which is the order in which ready stages start.

import type { DefinitionFault } from "../definition.ts";
import { describeValue, isPlainRecord } from "./option-reader.ts";
import { findSpec, type StageSpec } from "../stage/stage.ts";

/** A pipeline as written. */
export interface PipelineSpec {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The untyped form: stages by id. */
  readonly byId: boolean;
  /** True: who imports its module fills the address in where it names none. Default false. */
  readonly isAddressed?: boolean;
}

/** A stage found, with the value that others need it by. */
export interface FoundStage {
  readonly spec: StageSpec;
  /** The stage value; null in the untyped form. */
  readonly value: object | null;
  /** Ids it needs, in the untyped form. */
  readonly needIds: readonly string[] | null;
}

/** Every stage of the pipeline. What is no stage is a fault. */
export function collectStages(
  spec: PipelineSpec,
  faults: DefinitionFault[],
): readonly FoundStage[] {
  return spec.byId ? collectById(spec, faults) : collectByValue(spec, faults);
}

function collectByValue(spec: PipelineSpec, faults: DefinitionFault[]): readonly FoundStage[] {
  const found = new Map<object, FoundStage>();
  const open: { readonly value: unknown; readonly path: string }[] = [];
  const output = spec.options["output"];
  for (const [name, value] of Object.entries(isPlainRecord(output) ? output : {})) {
    open.push({ value, path: `output.${name}` });
  }
  const sinks = spec.options["stages"];
  for (const [index, value] of (Array.isArray(sinks) ? sinks : []).entries()) {
    open.push({ value, path: `stages.${index}` });
  }
  for (const { value, path } of open) {
    const stage = findSpec(value);
    if (stage === undefined || typeof value !== "object" || value === null) {
      faults.push({ path, message: `expected a stage; got ${describeValue(value)}` });
      continue;
    }
    if (found.has(value)) continue;
    found.set(value, { spec: stage, value, needIds: null });
    open.push(...listNeeded(stage));
  }
  return [...found.values()].toSorted((a, b) => a.spec.order - b.spec.order);
}

/** Stage values among needs and `over`; everything else is judged when needs are resolved. */
function listNeeded(
  stage: StageSpec,
): readonly { readonly value: object; readonly path: string }[] {
  const needs = stage.options["needs"];
  const values: unknown[] = isPlainRecord(needs) ? Object.values(needs) : [];
  values.push(stage.options["over"]);
  return values
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .map((value: unknown) => unwrapRequired(value))
    .flatMap((value) =>
      typeof value === "object" && value !== null && findSpec(value) !== undefined
        ? [{ value, path: `stages.${stage.name}.needs` }]
        : [],
    );
}

/** The stage inside `required(stage)`; anything else as it is. */
export function unwrapRequired(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("kind" in value)) return value;
  return value.kind === "required" && "stage" in value ? value.stage : value;
}

const ID_FORM_KEYS: readonly string[] = ["id", "run", "needs", "kind"];

function collectById(spec: PipelineSpec, faults: DefinitionFault[]): readonly FoundStage[] {
  const list = spec.options["stages"];
  if (!Array.isArray(list)) {
    faults.push({
      path: "stages",
      message: `expected a list of stages; got ${describeValue(list)}`,
    });
    return [];
  }
  return list.flatMap((entry: unknown, order) => collectOne(entry, { order, faults }) ?? []);
}

function collectOne(
  entry: unknown,
  at: { readonly order: number; readonly faults: DefinitionFault[] },
): FoundStage | undefined {
  const path = `stages.${at.order}`;
  if (!isPlainRecord(entry) || typeof entry["id"] !== "string") {
    at.faults.push({
      path,
      message: `expected { id, needs, run, ... }; got ${describeValue(entry)}`,
    });
    return undefined;
  }
  const needIds = entry["needs"] ?? [];
  if (!Array.isArray(needIds) || !needIds.every((id): id is string => typeof id === "string")) {
    at.faults.push({
      path: `stages.${entry["id"]}.needs`,
      message: "expected a list of stage ids",
    });
    return undefined;
  }
  const rest = Object.entries(entry).filter(([key]) => !ID_FORM_KEYS.includes(key));
  const kind = kindOf(entry);
  return {
    spec: {
      kind,
      name: entry["id"],
      order: at.order,
      options: Object.fromEntries(rest),
      run: findRun(entry["run"]),
      arrival: needIds.length === 0 ? "input" : needIds.length === 1 ? "single" : "record",
    },
    value: null,
    needIds,
  };
}

function kindOf(entry: Readonly<Record<string, unknown>>): StageSpec["kind"] {
  if ("argv" in entry) return "command";
  return "over" in entry ? "map" : "stage";
}

/** A plain function, or any object with a `run` function; the object stays its `this`. */
function findRun(run: unknown): StageSpec["run"] {
  if (typeof run === "function") return run as StageSpec["run"];
  if (typeof run === "object" && run !== null && "run" in run && typeof run.run === "function") {
    return run.run.bind(run) as StageSpec["run"];
  }
  return null;
}
