// The options of a pipeline itself, from written to parsed.

import { RUN_ATTEMPTS_DEFAULT } from "../defaults.ts";
import { ACTIVE_RUNS_MAX, QUEUED_RUNS_MAX } from "../limits.ts";
import { isPlainRecord, describeValue, type OptionReader } from "./option-reader.ts";
import { parseRetry, RETRY_POLICY_DEFAULT } from "./parse-retry.ts";
import { isSchema, parseUses, type StageDefaults } from "./parse-stage.ts";
import type { Schema } from "../schema.ts";
import { findSpec } from "../stage/stage.ts";

/** A pipeline's own settings. */
export interface ParsedPipeline {
  readonly description: string | null;
  readonly version: string | null;
  readonly input: Schema | null;
  readonly hasInput: boolean;
  readonly failFast: boolean;
  readonly deadlineMs: number | null;
  readonly attempts: number;
  readonly maxActiveRuns: number | null;
  readonly maxQueued: number | null;
  readonly onBusy: "refuse" | "queue";
  readonly gate: "off" | "health";
  readonly module: string | null;
  readonly defaults: StageDefaults;
  /** Output name and the stage that gives it; null: nothing was said in the untyped form. */
  readonly outputValues: readonly { readonly name: string; readonly stage: string }[] | null;
}

const PIPELINE_KEYS = [
  "input",
  "output",
  "stages",
  "module",
  "failFast",
  "maxActiveRuns",
  "maxQueued",
  "onBusy",
  "deadline",
  "attempts",
  "gate",
  "defaults",
  "version",
  "description",
] as const;

/** Checks every option of a pipeline but its stages. */
export function parsePipeline(reader: OptionReader, byId: boolean): ParsedPipeline {
  reader.refuseUnknown(byId ? [...PIPELINE_KEYS, "name"] : PIPELINE_KEYS);
  return {
    description: reader.text("description", 2_000) ?? null,
    version: reader.text("version", 200) ?? null,
    ...parseInput(reader),
    failFast: reader.boolean("failFast") ?? true,
    deadlineMs: reader.durationMs("deadline") ?? null,
    attempts: reader.number("attempts", { min: 1, max: 1_000 }) ?? RUN_ATTEMPTS_DEFAULT,
    maxActiveRuns: reader.number("maxActiveRuns", { min: 1, max: ACTIVE_RUNS_MAX }) ?? null,
    maxQueued: reader.number("maxQueued", { min: 1, max: QUEUED_RUNS_MAX }) ?? null,
    onBusy: reader.oneOf("onBusy", ["refuse", "queue"]) ?? "refuse",
    gate: reader.oneOf("gate", ["off", "health"]) ?? "off",
    module: reader.text("module", 4_096) ?? null,
    defaults: parseDefaults(reader),
    outputValues: parseOutput(reader, byId),
  };
}

function parseInput(reader: OptionReader): { input: Schema | null; hasInput: boolean } {
  const value = reader.raw("input");
  if (value === undefined) return { input: null, hasInput: false };
  if (isSchema(value)) return { input: value, hasInput: true };
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === "input") {
    const schema: unknown = "schema" in value ? value.schema : null;
    return { input: isSchema(schema) ? schema : null, hasInput: true };
  }
  reader.fault("input", `expected input(...) or a schema; got ${describeValue(value)}`);
  return { input: null, hasInput: false };
}

function parseDefaults(reader: OptionReader): StageDefaults {
  const nested = reader.nested("defaults");
  nested?.refuseUnknown(["retry", "timeout", "uses"]);
  return {
    retry: nested === undefined ? RETRY_POLICY_DEFAULT : parseRetry(nested, RETRY_POLICY_DEFAULT),
    retryIsOwn: nested?.has("retry") ?? false,
    timeoutMs: nested?.durationMs("timeout") ?? null,
    uses: nested === undefined ? null : parseDefaultUses(nested),
  };
}

/** Resources of all stages: no function, since each stage has needs of its own. */
function parseDefaultUses(reader: OptionReader): StageDefaults["uses"] {
  const uses = parseUses(reader);
  if (typeof uses !== "function") return uses;
  reader.fault("uses", "expected a list of resources; got a function", "a stage may have one");
  return null;
}

function parseOutput(reader: OptionReader, byId: boolean): ParsedPipeline["outputValues"] {
  const output = reader.raw("output");
  if (output === undefined) return byId ? null : [];
  if (!isPlainRecord(output)) {
    reader.fault("output", `expected a record of stages; got ${describeValue(output)}`);
    return [];
  }
  return Object.entries(output).flatMap(([name, value]) => {
    if (byId) {
      if (typeof value === "string") return [{ name, stage: value }];
      reader.fault(`output.${name}`, `expected the id of a stage; got ${describeValue(value)}`);
      return [];
    }
    const spec = findSpec(value);
    return spec === undefined ? [] : [{ name, stage: spec.name }];
  });
}
