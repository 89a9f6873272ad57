// Resolves what a stage needs from values or ids to positions, and says what is wrong with each need.

import { findNearest } from "../../std/nearest.ts";
import { unwrapRequired, type FoundStage, type PipelineSpec } from "./collect-stages.ts";
import type {
  AuthorFunction,
  DefinitionFault,
  NamedNeed,
  NeedShape,
  OverShape,
} from "../definition.ts";
import { describeValue, isPlainRecord } from "./option-reader.ts";
import { findSpec } from "../stage/stage.ts";

/** Where names and values lead. */
export interface NeedScope {
  readonly positions: ReadonlyMap<string, number>;
  readonly found: readonly FoundStage[];
  readonly faults: DefinitionFault[];
  readonly spec: PipelineSpec;
}

/** The needs of one stage, resolved. `all` includes what a map runs over. */
export interface ResolvedNeeds {
  readonly named: readonly NamedNeed[];
  readonly over: OverShape | null;
  readonly all: readonly NeedShape[];
}

/** Resolves the needs of a stage; faults go to the scope. */
export function resolveNeeds(entry: FoundStage, scope: NeedScope): ResolvedNeeds {
  const path = `stages.${entry.spec.name}`;
  const named = entry.needIds === null ? resolveValues(entry, scope) : resolveIds(entry, scope);
  const over = entry.spec.kind === "map" ? resolveOver(entry, { ...scope, path }) : null;
  const overShapes = over?.kind === "need" ? [over.shape] : [];
  return { named, over, all: [...named.map((need) => need.shape), ...overShapes] };
}

function resolveValues(entry: FoundStage, scope: NeedScope): readonly NamedNeed[] {
  const needs = entry.spec.options["needs"];
  if (needs === undefined) return [];
  const path = `stages.${entry.spec.name}.needs`;
  if (!isPlainRecord(needs)) {
    scope.faults.push({ path, message: `expected a record of needs; got ${describeValue(needs)}` });
    return [];
  }
  return Object.entries(needs).flatMap(([name, value]) => {
    const shape = resolveValue(value, { ...scope, path: `${path}.${name}` });
    return shape === undefined ? [] : [{ name, shape }];
  });
}

interface PathScope extends NeedScope {
  readonly path: string;
}

function resolveValue(value: unknown, scope: PathScope): NeedShape | undefined {
  if (Array.isArray(value)) {
    const parts = value.map((part: unknown) => resolveValue(part, scope));
    return { kind: "list", parts: parts.filter((part) => part !== undefined) };
  }
  const inner = unwrapRequired(value);
  const required = inner !== value;
  if (typeof inner === "object" && inner !== null) {
    if (findSpec(inner) !== undefined) {
      const stage = scope.found.findIndex((found) => found.value === inner);
      if (stage >= 0) return { kind: "stage", stage, required };
    }
    if ("kind" in inner && inner.kind === "input" && !required) return resolveInput(inner, scope);
    if ("kind" in inner && inner.kind === "provided" && "name" in inner && !required) {
      return { kind: "provided", name: String(inner.name) };
    }
  }
  scope.faults.push({
    path: scope.path,
    message: `expected a stage, the input, provided(...), required(stage) or a list of them; got ${describeValue(value)}`,
  });
  return undefined;
}

function resolveInput(value: object, scope: PathScope): NeedShape {
  if (scope.spec.options["input"] !== value) {
    scope.faults.push({
      path: scope.path,
      message: "needs an input that is not the pipeline's own",
      hint: "pass the same value as `input` of the pipeline",
    });
  }
  return { kind: "input" };
}

function resolveIds(entry: FoundStage, scope: NeedScope): readonly NamedNeed[] {
  return (entry.needIds ?? []).flatMap((id) => {
    const shape = resolveId(id, { ...scope, path: `stages.${entry.spec.name}.needs` });
    return shape === undefined ? [] : [{ name: id, shape }];
  });
}

function resolveId(id: string, scope: PathScope): NeedShape | undefined {
  const stage = scope.positions.get(id);
  if (stage !== undefined) return { kind: "stage", stage, required: false };
  const near = findNearest(id, scope.positions.keys());
  scope.faults.push({
    path: scope.path,
    message: `needs "${id}", which is no stage of this pipeline`,
    hint:
      near === undefined
        ? `known: ${[...scope.positions.keys()].slice(0, 20).join(", ")}`
        : `did you mean "${near}"?`,
  });
  return undefined;
}

function resolveOver(entry: FoundStage, scope: PathScope): OverShape | null {
  const over = entry.spec.options["over"];
  const path = `${scope.path}.over`;
  if (typeof over === "function") return { kind: "function", make: over as AuthorFunction };
  if (entry.needIds !== null && typeof over === "string") {
    const shape = over === "input" ? INPUT : resolveId(over, { ...scope, path });
    return shape === undefined ? null : { kind: "need", shape };
  }
  if (Array.isArray(over)) return { kind: "literal", items: [...over] };
  if (over === undefined) {
    scope.faults.push({
      path,
      message: "a map needs something to run over",
      hint: "a list stage, the input, a list or a function",
    });
    return null;
  }
  const shape = resolveValue(over, { ...scope, path });
  return shape === undefined ? null : { kind: "need", shape };
}

const INPUT: NeedShape = Object.freeze({ kind: "input" });
