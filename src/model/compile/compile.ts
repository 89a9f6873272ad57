// From a pipeline as written to a definition ready to be walked, or every fault of it at once: duplicate and
// unknown names, cycles with their path, missing entries, bad options. Both forms end here; they differ only
// in how stages are found (`collect-stages.ts`).

import { canonicalJson, sha256Hex } from "../../std/json.ts";
import { findNearest } from "../../std/nearest.ts";
import { collectStages, type FoundStage, type PipelineSpec } from "./collect-stages.ts";
import type {
  DefinitionFault,
  NeedShape,
  PipelineDefinition,
  StageDefinition,
} from "../definition.ts";
import { MillraceError } from "../errors.ts";
import { findCycle, makeGraph, type Graph } from "../graph.ts";
import { describeStage } from "./hash.ts";
import { NAME_CHARS_MAX, PIPELINE_STAGES_MAX } from "../limits.ts";
import { resolveNeeds } from "./resolve-needs.ts";
import { OptionReader } from "./option-reader.ts";
import { parsePipeline, type ParsedPipeline } from "./parse-pipeline.ts";
import { parseStage, type ParsedStage } from "./parse-stage.ts";
import { err, ok, type Result } from "../../std/result.ts";

/** A definition, or everything that is wrong with it. */
function compilePipeline(
  spec: PipelineSpec,
): Result<PipelineDefinition, readonly DefinitionFault[]> {
  const faults: DefinitionFault[] = [];
  checkName(spec.name, { path: "name", faults });
  const reader = new OptionReader(spec.options, "pipeline", faults);
  const pipeline = parsePipeline(reader, spec.byId);
  const found = collectStages(spec, faults);
  if (found.length === 0 && faults.length === 0) {
    faults.push({ path: "stages", message: "a pipeline needs at least one stage" });
  }
  if (found.length > PIPELINE_STAGES_MAX) {
    faults.push({
      path: "stages",
      message: `${found.length} stages, at most ${PIPELINE_STAGES_MAX} are possible`,
      hint: "put the repetition into a map stage",
    });
  }
  const parsed = found.map((entry) => {
    checkName(entry.spec.name, { path: `stages.${entry.spec.name}`, faults });
    const at = `stages.${entry.spec.name}`;
    return parseStage(
      entry.spec,
      new OptionReader(entry.spec.options, at, faults),
      pipeline.defaults,
    );
  });
  const positions = indexNames(found, faults);
  reportUnknownOutputs(pipeline, positions, faults);
  const shapes = found.map((entry) => resolveNeeds(entry, { positions, found, faults, spec }));
  const edges = shapes.map((shape) => listEdges(shape.all));
  reportCycle({ edges, found, faults });
  reportLists({ parsed, shapes, faults, byId: spec.byId });
  if (pipeline.module === null && spec.isAddressed !== true) reportThreads(parsed, faults);
  if (faults.length > 0) return err(faults);
  const stages = parsed.map((stage, index) => finishStage(stage, shapes[index], parsed));
  return ok(assemble({ spec, pipeline, stages, positions, edges }));
}

/** The definition; DEFINITION_INVALID with all faults in message and details otherwise. */
export function compileOrThrow(spec: PipelineSpec): PipelineDefinition {
  const compiled = compilePipeline(spec);
  if (compiled.ok) return compiled.value;
  throw definitionInvalid(spec.name, compiled.error);
}

/** The error for faults of a definition: all of them, one a line. */
export function definitionInvalid(
  name: string,
  faults: readonly DefinitionFault[],
  subject: string = `Pipeline "${name}" is`,
): MillraceError {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.map((fault) => {
    const hint = fault.hint === undefined ? "" : ` (${fault.hint})`;
    return `  ${fault.path}: ${fault.message}${hint}`;
  });
  return new MillraceError(
    "DEFINITION_INVALID",
    `${subject} not valid, ${count}:\n${lines.join("\n")}`,
    {
      hint: "mend the definition; nothing was started",
      details: { pipeline: name, faults: faults.map((fault) => ({ ...fault })) },
    },
  );
}

function checkName(
  name: unknown,
  at: { readonly path: string; readonly faults: DefinitionFault[] },
): void {
  const fits =
    typeof name === "string" && name.length <= NAME_CHARS_MAX && /^[A-Za-z_][\w.:-]*$/.test(name);
  if (fits) return;
  at.faults.push({
    path: at.path,
    message: `${JSON.stringify(name) ?? String(name)} is no name: expected a letter, then letters, digits, "_", "-", "." or ":", at most ${NAME_CHARS_MAX}`,
  });
}

function indexNames(
  found: readonly FoundStage[],
  faults: DefinitionFault[],
): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  for (const [index, entry] of found.entries()) {
    const name = entry.spec.name;
    if (positions.has(name)) {
      faults.push({
        path: `stages.${name}`,
        message: `duplicate stage "${name}": two stages have this name`,
        hint: "rename one of them",
      });
      continue;
    }
    positions.set(name, index);
  }
  return positions;
}

/** In the untyped form outputs are names, which may lead nowhere. */
function reportUnknownOutputs(
  { outputValues }: ParsedPipeline,
  positions: ReadonlyMap<string, number>,
  faults: DefinitionFault[],
): void {
  for (const { name, stage } of outputValues ?? []) {
    if (positions.has(stage)) continue;
    const near = findNearest(stage, positions.keys());
    faults.push({
      path: `output.${name}`,
      message: `"${stage}" is no stage of this pipeline`,
      ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
    });
  }
}

/** A thread imports the pipeline's module by itself, and has to know which one. */
function reportThreads(parsed: readonly ParsedStage[], faults: DefinitionFault[]): void {
  for (const { name, runIn } of parsed) {
    if (runIn === "thread") faults.push(threadFault(name));
  }
}

/** The fault of a stage for threads whose pipeline names no module. */
export function threadFault(stage: string): DefinitionFault {
  return {
    path: `stages.${stage}.runIn`,
    message: `"thread" needs the address of the module that exports the pipeline`,
    hint: "write pipeline(name, { module: import.meta.url, ... }) and export it",
  };
}

/** Positions that a list of need shapes points at. */
function listEdges(shapes: readonly NeedShape[]): readonly number[] {
  return shapes.flatMap((shape) => {
    if (shape.kind === "stage") return [shape.stage];
    return shape.kind === "list" ? listEdges(shape.parts) : [];
  });
}

function reportCycle(parts: {
  readonly edges: readonly (readonly number[])[];
  readonly found: readonly FoundStage[];
  readonly faults: DefinitionFault[];
}): void {
  const { edges, found, faults } = parts;
  const cycle = findCycle(edges);
  if (cycle === undefined) return;
  const path = cycle.map((index) => found[index]?.spec.name ?? "?").join(" -> ");
  faults.push({
    path: "stages",
    message: `needs go round in a cycle: ${path}`,
    hint: "remove one of them",
  });
  if (edges.every((list) => list.length > 0)) {
    faults.push({
      path: "stages",
      message: "no entry: every stage needs another one",
      hint: "one stage must need nothing but the input",
    });
  }
}

function finishStage(
  parsed: ParsedStage,
  shapes: ReturnType<typeof resolveNeeds> | undefined,
  all: readonly ParsedStage[],
): StageDefinition {
  const { mapOptions, skips: _skips, ...rest } = parsed;
  const needs = shapes?.named ?? [];
  const over = shapes?.over ?? null;
  const stage: Omit<StageDefinition, "stageVersion"> = {
    ...rest,
    needs,
    soft: isSoft(parsed, shapes),
    map:
      mapOptions === null || over === null
        ? null
        : { ...mapOptions, over, follows: findFollowed(over, all) },
  };
  return {
    ...stage,
    stageVersion: sha256Hex(canonicalJson(describeStage(stage, all))).slice(0, 16),
  };
}

/** True if readers get `Settled`: the stage may end without a result and without failing the run. */
function isSoft(parsed: ParsedStage, shapes: ReturnType<typeof resolveNeeds> | undefined): boolean {
  return (
    parsed.when !== null ||
    !parsed.critical ||
    parsed.skips ||
    parsed.trigger !== "all_success" ||
    (parsed.command?.skipExitCodes.length ?? 0) > 0 ||
    (shapes?.all ?? []).some(isRequired)
  );
}

/** The types refuse a list that may be missing; untyped callers learn it here. */
function reportLists(parts: {
  readonly parsed: readonly ParsedStage[];
  readonly shapes: readonly ReturnType<typeof resolveNeeds>[];
  readonly faults: DefinitionFault[];
  readonly byId: boolean;
}): void {
  const { parsed, shapes, faults, byId } = parts;
  for (const [index, stage] of parsed.entries()) {
    const over = shapes[index]?.over ?? null;
    if (over?.kind !== "need" || over.shape.kind !== "stage") continue;
    const list = parsed[over.shape.stage];
    if (list === undefined) continue;
    if (!over.shape.required && isSoft(list, shapes[over.shape.stage])) {
      faults.push({
        path: `stages.${stage.name}.over`,
        message: `runs over "${list.name}", which may end without a list`,
        hint: byId ? "let it always give a list" : "write over: required(...)",
      });
    }
    if (findFollowed(over, parsed) === null || (stage.mapOptions?.key ?? null) === null) continue;
    faults.push({
      path: `stages.${stage.name}.key`,
      message: `has no effect over "${list.name}": items keep the keys they have there`,
    });
  }
}

function isRequired(shape: NeedShape): boolean {
  if (shape.kind === "list") return shape.parts.some(isRequired);
  return shape.kind === "stage" && shape.required;
}

/** A map over a "continue" map follows it item by item. */
function findFollowed(
  over: NonNullable<StageDefinition["map"]>["over"],
  all: readonly ParsedStage[],
): number | null {
  if (over.kind !== "need" || over.shape.kind !== "stage") return null;
  const upstream = all[over.shape.stage];
  return upstream?.mapOptions?.onItemFailure === "continue" ? over.shape.stage : null;
}

interface Parts {
  readonly spec: PipelineSpec;
  readonly pipeline: ParsedPipeline;
  readonly stages: readonly StageDefinition[];
  readonly positions: ReadonlyMap<string, number>;
  readonly edges: readonly (readonly number[])[];
}

function assemble(parts: Parts): PipelineDefinition {
  const { spec, pipeline, stages, positions, edges } = parts;
  const { defaults: _defaults, outputValues, ...settings } = pipeline;
  const graph = makeGraph(edges);
  const outputs =
    outputValues === null
      ? listSinks(stages, graph)
      : outputValues.map(({ name, stage }) => ({ name, stage: positions.get(stage) ?? -1 }));
  // Sorted by name: the order of writing must not matter to the hash.
  const described = stages
    .map((stage) => ({ name: stage.name, ...describeStage(stage, stages) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const json = canonicalJson({
    name: spec.name,
    version: settings.version,
    failFast: settings.failFast,
    deadlineMs: settings.deadlineMs,
    // Left out where there is none, so that other definitions keep the hash they always had.
    ...(settings.maxActiveRuns === null ? {} : { maxActiveRuns: settings.maxActiveRuns }),
    ...(settings.maxQueued === null ? {} : { maxQueued: settings.maxQueued }),
    ...(settings.gate === "off" ? {} : { gate: settings.gate }),
    outputs: Object.fromEntries(
      outputs.map(({ name, stage }) => [name, stages[stage]?.name ?? ""]),
    ),
    stages: described,
  });
  return Object.freeze({
    name: spec.name,
    ...settings,
    stages,
    positions,
    hasCache: stages.some((stage) => stage.cache !== null),
    outputs,
    provided: listProvided(stages),
    graph,
    hash: sha256Hex(json).slice(0, 16),
    json,
  });
}

/** What an untyped pipeline gives unless it says otherwise: every stage that nobody reads. */
function listSinks(
  stages: readonly StageDefinition[],
  graph: Graph,
): PipelineDefinition["outputs"] {
  return stages.flatMap(({ name }, stage) =>
    (graph.readers[stage]?.length ?? 0) === 0 ? [{ name, stage }] : [],
  );
}

function listProvided(stages: readonly StageDefinition[]): PipelineDefinition["provided"] {
  const users = new Map<string, string[]>();
  const visit = (shape: NeedShape, stage: string): void => {
    if (shape.kind === "list") for (const part of shape.parts) visit(part, stage);
    if (shape.kind !== "provided") return;
    const list = users.get(shape.name) ?? [];
    if (!list.includes(stage)) list.push(stage);
    users.set(shape.name, list);
  };
  for (const stage of stages) {
    for (const need of stage.needs) visit(need.shape, stage.name);
    if (stage.map?.over.kind === "need") visit(stage.map.over.shape, stage.name);
  }
  return [...users].map(([name, list]) => ({ name, stages: list }));
}

/** The error for a stage that the pipeline does not have, with the nearest name. */
export function stageUnknown(definition: PipelineDefinition, name: string): MillraceError {
  const known = definition.stages.map((stage) => stage.name);
  const near = findNearest(name, known);
  return new MillraceError(
    "STAGE_UNKNOWN",
    `Pipeline "${definition.name}" has no stage "${name}".`,
    {
      hint:
        near === undefined ? `known: ${known.slice(0, 20).join(", ")}` : `did you mean "${near}"?`,
      details: {
        given: name,
        known: known.slice(0, 100),
        ...(near === undefined ? {} : { nearest: near }),
      },
    },
  );
}
