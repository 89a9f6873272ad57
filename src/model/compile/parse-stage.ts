// From a stage as written to a stage ready to be walked: options checked and defaulted, with the origin of each
// effective setting. Needs are resolved by `compile.ts`, which calls this.

import { COMMAND_TIMEOUT_MS_DEFAULT } from "../defaults.ts";
import type { StageDefinition } from "../definition.ts";
import { parseCache } from "./parse-cache.ts";
import { parseUseList } from "./parse-uses.ts";
import { parseCommand, parseMap, COMMAND_KEYS, MAP_KEYS } from "./parse-kinds.ts";
import { parseRetry } from "./parse-retry.ts";
import { describeValue, isPlainRecord, type OptionReader } from "./option-reader.ts";
import type { ResourceUse } from "../resource/resource.ts";
import type { RetryPolicy } from "../retry.ts";
import type { Schema } from "../schema.ts";
import type { StageSpec } from "../stage/stage.ts";
import type { VerifyFiles } from "../stage/stage-options.ts";
import { TRIGGER_RULES } from "../stage/trigger.ts";

/** What a pipeline gives its stages. */
export interface StageDefaults {
  readonly retry: RetryPolicy;
  readonly retryIsOwn: boolean;
  readonly timeoutMs: number | null;
  /** Of stages that name none; null: none. */
  readonly uses: readonly ResourceUse[] | null;
}

/** What `compile.ts` adds: resolved needs. */
export type ParsedStage = Omit<StageDefinition, "needs" | "map" | "stageVersion" | "soft"> & {
  readonly mapOptions: ReturnType<typeof parseMap> | null;
  readonly skips: boolean;
};

const COMMON_KEYS = [
  "needs",
  "when",
  "trigger",
  "critical",
  "retry",
  "classify",
  "timeout",
  "queueTimeout",
  "deadline",
  "uses",
  "cache",
  "persist",
  "version",
  "idempotent",
  "output",
  "verify",
  "record",
  "runIn",
  "health",
  "description",
  "tags",
] as const;

/** Every option a stage of this kind may have. */
function listOptionKeys(kind: StageSpec["kind"]): readonly string[] {
  if (kind === "map") return [...COMMON_KEYS, ...MAP_KEYS];
  if (kind === "command") return [...COMMON_KEYS, ...COMMAND_KEYS];
  return [...COMMON_KEYS, "skips"];
}

/** Checks every option of a stage. Faults go to the reader; the result is meaningful only without any. */
export function parseStage(
  spec: StageSpec,
  reader: OptionReader,
  defaults: StageDefaults,
): ParsedStage {
  reader.refuseUnknown(listOptionKeys(spec.kind));
  const ownTimeoutMs = reader.durationMs("timeout");
  const houseTimeoutMs = spec.kind === "command" ? COMMAND_TIMEOUT_MS_DEFAULT : null;
  const persist = reader.boolean("persist") ?? true;
  const idempotent = reader.boolean("idempotent") ?? true;
  const cache = parseCache(reader);
  if (!persist && (!idempotent || cache !== null)) {
    reader.fault("persist", "persist: false cannot stand together with idempotent: false or cache");
  }
  return {
    kind: spec.kind,
    name: spec.name,
    arrival: spec.arrival,
    run: parseRun(spec, reader),
    description: reader.text("description", 2_000) ?? null,
    tags: reader.texts("tags", 64) ?? [],
    trigger: reader.oneOf("trigger", TRIGGER_RULES) ?? "all_success",
    critical: reader.boolean("critical") ?? true,
    when: reader.function("when") ?? null,
    retry: parseRetry(reader, defaults.retry),
    classify: reader.function("classify") ?? null,
    timeoutMs: ownTimeoutMs ?? defaults.timeoutMs ?? houseTimeoutMs,
    queueTimeoutMs: reader.durationMs("queueTimeout") ?? null,
    deadlineMs: reader.durationMs("deadline") ?? null,
    persist,
    idempotent,
    version: reader.text("version", 200) ?? null,
    cache,
    output: parseSchema(reader),
    verify: parseVerify(reader, cache !== null),
    record: reader.function("record") ?? null,
    uses: parseUses(reader) ?? defaults.uses,
    runIn: parseRunIn(spec, reader),
    command: spec.kind === "command" ? parseCommand(reader) : null,
    mapOptions: spec.kind === "map" ? parseMap(reader) : null,
    skips: reader.boolean("skips") ?? false,
    health: reader.function("health") ?? null,
    origins: {
      retry: originOf(reader.has("retry"), defaults.retryIsOwn),
      timeout: originOf(ownTimeoutMs !== undefined, defaults.timeoutMs !== null),
    },
  };
}

function originOf(ofStage: boolean, ofPipeline: boolean): "stage" | "pipeline" | "default" {
  if (ofStage) return "stage";
  return ofPipeline ? "pipeline" : "default";
}

function parseRun(spec: StageSpec, reader: OptionReader): StageDefinition["run"] {
  if (spec.kind === "command") return null;
  const run: unknown = spec.run;
  if (typeof run === "function") return run as NonNullable<StageDefinition["run"]>;
  reader.fault(
    "run",
    `expected a function; got ${describeValue(run)}`,
    "a stage is a name, options and a function",
  );
  return null;
}

function parseRunIn(spec: StageSpec, reader: OptionReader): StageDefinition["runIn"] {
  const runIn = reader.oneOf("runIn", ["main", "thread"]) ?? "main";
  if (runIn === "thread" && spec.kind === "command") {
    reader.fault("runIn", "a command has a process of its own", "remove it");
  }
  return runIn;
}

function parseSchema(reader: OptionReader): Schema | null {
  const value = reader.raw("output");
  if (value === undefined) return null;
  if (isSchema(value)) return value;
  reader.fault(
    "output",
    `expected a schema that follows Standard Schema; got ${describeValue(value)}`,
  );
  return null;
}

/** True for a value of any library that follows Standard Schema. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null && "validate" in standard;
}

function parseVerify(reader: OptionReader, isCached: boolean): StageDefinition["verify"] {
  const value = reader.raw("verify");
  if (value === undefined || typeof value === "function") return reader.function("verify") ?? null;
  if (isPlainRecord(value) && isTextList(value["files"])) {
    const files: VerifyFiles = { files: value["files"] };
    if (isCached) {
      reader.fault(
        "cache",
        "cannot stand together with verify: { files }",
        "the cache keeps the output, not files: a hit would leave none",
      );
    }
    return files;
  }
  reader.fault("verify", `expected a function or { files: [...] }; got ${describeValue(value)}`);
  return null;
}

function isTextList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= 1_000 &&
    value.every((entry) => typeof entry === "string")
  );
}

/** Reads `uses` of a stage or of a pipeline's defaults; null: nothing is said. */
export function parseUses(reader: OptionReader): StageDefinition["uses"] {
  const value = reader.raw("uses");
  if (value === undefined) return null;
  if (typeof value === "function") return reader.function("uses") ?? null;
  if (Array.isArray(value)) return parseUseList(value, (message) => reader.fault("uses", message));
  reader.fault("uses", `expected a list of resources or a function; got ${describeValue(value)}`);
  return null;
}
