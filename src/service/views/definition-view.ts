// A pipeline as a store remembers it: the JSON behind a run's definition hash, read back into names, needs and
// the settings that `why` and `show` speak of. Works without the pipeline's code, so in any process.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { listWaves, makeGraph } from "../../model/graph.ts";

/** One stage as remembered. */
export interface StoredStage {
  readonly name: string;
  readonly kind: string;
  /** Stages it needs directly, what a map runs over included. */
  readonly needs: readonly string[];
  readonly trigger: string;
  readonly critical: boolean;
  readonly soft: boolean;
  readonly attempts: number;
  readonly timeoutMs: number | null;
  readonly deadlineMs: number | null;
  /** Of a map over a stage's list: that stage. */
  readonly over: string | null;
}

/** A pipeline as remembered; stages after those they need, then by name. */
export interface StoredDefinition {
  readonly name: string;
  readonly failFast: boolean;
  readonly deadlineMs: number | null;
  /** Runs that may be running at once; null: any number. */
  readonly maxActiveRuns: number | null;
  readonly stages: readonly StoredStage[];
  /** Names of the stages that give the run's outputs, by output name. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Reads the JSON of a definition; undefined for text that is none. Fields it does not know are passed over. */
export function parseStoredDefinition(text: string): StoredDefinition | undefined {
  const raw = parseRecord(text);
  if (raw === undefined || !Array.isArray(raw["stages"])) return undefined;
  const list = raw["stages"].filter(isPlainRecord);
  const names = new Set(list.map((stage) => String(stage["name"])));
  return {
    name: String(raw["name"]),
    failFast: raw["failFast"] !== false,
    deadlineMs: toNumber(raw["deadlineMs"]),
    maxActiveRuns: toNumber(raw["maxActiveRuns"]),
    stages: sortByWave(list.map((stage) => readStage(stage, names))),
    outputs: readOutputs(raw["outputs"]),
  };
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPlainRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readStage(
  raw: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
): StoredStage {
  const needs = isPlainRecord(raw["needs"]) ? Object.values(raw["needs"]) : [];
  const map = isPlainRecord(raw["map"]) ? raw["map"] : undefined;
  const over = map === undefined ? [] : findNames(map["over"], names);
  const retry = isPlainRecord(raw["retry"]) ? raw["retry"] : {};
  return {
    name: String(raw["name"]),
    kind: String(raw["kind"]),
    needs: [...new Set([...needs.flatMap((need) => findNames(need, names)), ...over])],
    trigger: String(raw["trigger"]),
    critical: raw["critical"] !== false,
    soft: raw["soft"] === true,
    attempts: toNumber(retry["attempts"]) ?? 1,
    timeoutMs: toNumber(raw["timeoutMs"]),
    deadlineMs: toNumber(raw["deadlineMs"]),
    over: over[0] ?? null,
  };
}

/** Stages that a described need names: `page`, `required page`, or a list; `(input)` and its like are none. */
function findNames(need: unknown, names: ReadonlySet<string>): readonly string[] {
  if (Array.isArray(need)) return need.flatMap((part: unknown) => findNames(part, names));
  if (typeof need !== "string") return [];
  const name = need.startsWith("required ") ? need.slice("required ".length) : need;
  return names.has(name) ? [name] : [];
}

function sortByWave(stages: readonly StoredStage[]): readonly StoredStage[] {
  const positions = new Map(stages.map((stage, position) => [stage.name, position]));
  const edges = stages.map((stage) => stage.needs.flatMap((name) => positions.get(name) ?? []));
  return listWaves(makeGraph(edges))
    .flat()
    .flatMap((position) => stages[position] ?? []);
}

function readOutputs(raw: unknown): Readonly<Record<string, string>> {
  if (!isPlainRecord(raw)) return {};
  return Object.fromEntries(Object.entries(raw).map(([name, stage]) => [name, String(stage)]));
}

function toNumber(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
