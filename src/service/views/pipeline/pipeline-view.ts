// A pipeline as `show` and the API tell it: the order of its stages, and every setting in force with where it came
// from. Where the process has its own settings from is said by who knows.

import {
  MAP_CONCURRENCY_DEFAULT,
  MAP_ITEMS_DEFAULT,
  MAP_MIN_SUCCESS_DEFAULT,
  RUN_ATTEMPTS_DEFAULT,
} from "../../../model/defaults.ts";
import type { PipelineDefinition, StageDefinition } from "../../../model/definition.ts";
import { listWaves } from "../../../model/graph.ts";
import { formatDuration } from "../../../std/duration.ts";
import type { Json } from "../../../std/json.ts";
import {
  toShownResources,
  toUsesSetting,
  type ResourceOrigin,
  type ShownResource,
} from "./pipeline-resources-view.ts";
import type { ShownSetting } from "./setting-view.ts";

/** A stage with its settings. */
export interface ShownStage {
  readonly stage: string;
  readonly kind: StageDefinition["kind"];
  readonly description?: string;
  /** From 1. */
  readonly wave: number;
  readonly needs: readonly string[];
  readonly critical: boolean;
  readonly trigger: string;
  readonly settings: Readonly<Record<string, ShownSetting>>;
}

/** A pipeline with its stages. */
export interface PipelineView {
  readonly pipeline: string;
  readonly definition: string;
  readonly description?: string;
  readonly entries: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, ShownSetting>>;
  /** In the order of their needs. */
  readonly stages: readonly ShownStage[];
  /** What their lists of uses name. */
  readonly resources: readonly ShownResource[];
}

/** What the process adds to a pipeline. */
export interface PipelineSurroundings {
  /** In words, where the process has its defaults for stages from. */
  readonly origins: { readonly retry: string; readonly timeout: string; readonly uses?: string };
  readonly resources: ResourceOrigin;
  /** Settings of the process itself. Default none. */
  readonly settings?: Readonly<Record<string, ShownSetting>>;
}

/** The whole pipeline as data. */
export function toPipelineView(
  definition: PipelineDefinition,
  { origins, resources, settings = {} }: PipelineSurroundings,
): PipelineView {
  const order = listWaves(definition.graph);
  const stages = order.flatMap((wave, depth) =>
    wave.flatMap((position) => {
      const stage = definition.stages[position];
      return stage === undefined
        ? []
        : [toShownStage(definition, stage, { wave: depth + 1, origins })];
    }),
  );
  return {
    pipeline: definition.name,
    definition: definition.hash,
    ...(definition.description === null ? {} : { description: definition.description }),
    entries: stages.filter((stage) => stage.needs.length === 0).map((stage) => stage.stage),
    outputs: Object.fromEntries(
      definition.outputs.map(({ name, stage }) => [name, definition.stages[stage]?.name ?? ""]),
    ),
    settings: {
      failFast: against(definition.failFast, true, "pipeline"),
      deadlineMs: against(definition.deadlineMs, null, "pipeline"),
      attempts: against(definition.attempts, RUN_ATTEMPTS_DEFAULT, "pipeline"),
      ...settings,
    },
    stages,
    resources: toShownResources(definition, resources),
  };
}

/** A setting whose origin is not kept: whoever wrote the default himself is told it is the default. */
function against(value: Json, fallback: Json, written: "pipeline" | "stage"): ShownSetting {
  return { value, origin: value === fallback ? "default" : written };
}

function toShownStage(
  definition: PipelineDefinition,
  stage: StageDefinition,
  at: { readonly wave: number } & Pick<PipelineSurroundings, "origins">,
): ShownStage {
  const position = definition.positions.get(stage.name) ?? 0;
  return {
    stage: stage.name,
    kind: stage.kind,
    ...(stage.description === null ? {} : { description: stage.description }),
    wave: at.wave,
    needs: (definition.graph.needs[position] ?? []).map(
      (need) => definition.stages[need]?.name ?? "",
    ),
    critical: stage.critical,
    trigger: stage.trigger,
    settings: {
      ...toRetrySettings(stage, sayOrigin(stage, "retry", at.origins.retry)),
      ...toTimeSettings(stage, sayOrigin(stage, "timeout", at.origins.timeout)),
      cache: against(sayCache(stage), "off", "stage"),
      ...(stage.runIn === "main" ? {} : { runIn: { value: stage.runIn, origin: "stage" } }),
      ...toUsesSetting(stage, stage.origins["uses"] === "config" ? at.origins.uses : undefined),
      ...toMapSettings(stage),
    },
  };
}

/** Where a stage's setting came from; a default of the process is told with its own origin. */
function sayOrigin({ origins }: StageDefinition, name: string, ofProcess: string): string {
  const origin = origins[name] ?? "default";
  return origin === "config" ? ofProcess : origin;
}

function toRetrySettings(
  { retry }: StageDefinition,
  origin: string,
): Readonly<Record<string, ShownSetting>> {
  const { attempts, initialDelayMs, factor, delayMsMax, jitter, retryOn, rules } = retry;
  return {
    attempts: { value: attempts, origin },
    initialDelayMs: { value: initialDelayMs, origin },
    factor: { value: factor, origin },
    maxDelayMs: { value: delayMsMax, origin },
    jitter: { value: jitter, origin },
    retryOn: { value: retryOn ?? "every retryable class and unknown", origin },
    rules: { value: rules.length, origin },
  };
}

function toTimeSettings(
  stage: StageDefinition,
  origin: string,
): Readonly<Record<string, ShownSetting>> {
  return {
    timeoutMs: { value: stage.timeoutMs, origin },
    queueTimeoutMs: against(stage.queueTimeoutMs, null, "stage"),
    deadlineMs: against(stage.deadlineMs, null, "stage"),
  };
}

function sayCache({ cache }: StageDefinition): string {
  if (cache === null) return "off";
  return cache.ttlMs === null ? "on" : formatDuration(cache.ttlMs);
}

function toMapSettings({ map }: StageDefinition): Readonly<Record<string, ShownSetting>> {
  if (map === null) return {};
  return {
    concurrency: against(map.concurrency, MAP_CONCURRENCY_DEFAULT, "stage"),
    onItemFailure: against(map.onItemFailure, "fail", "stage"),
    minSuccess: against(map.minSuccess, MAP_MIN_SUCCESS_DEFAULT, "stage"),
    maxItems: against(map.maxItems, MAP_ITEMS_DEFAULT, "stage"),
    onEmpty: against(map.onEmpty, "succeed", "stage"),
  };
}
