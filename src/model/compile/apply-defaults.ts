// Puts a process's own defaults under a definition: stages about which neither their author nor their pipeline
// said anything. The result is compiled anew as far as it must be: versions and hash tell what is in force.

import type { PipelineDefinition, StageDefinition } from "../definition.ts";
import type { ResourceUse } from "../resource/resource.ts";
import type { RetryPolicy } from "../retry.ts";
import { canonicalJson, sha256Hex } from "../../std/json.ts";
import { isPlainRecord } from "./option-reader.ts";
import { describeStage } from "./hash.ts";

/** Settings for stages that have none. Null: the house's. */
export interface ProcessDefaults {
  readonly retry: RetryPolicy | null;
  readonly timeoutMs: number | null;
  readonly uses: readonly ResourceUse[] | null;
}

/** The definition with these defaults; the same one where they change nothing. */
export function applyDefaults(
  definition: PipelineDefinition,
  defaults: ProcessDefaults,
): PipelineDefinition {
  if (Object.values(defaults).every((value) => value === null)) return definition;
  const changed = definition.stages.map((stage) => applyToStage(stage, defaults));
  const stages = changed.map((stage) => ({
    ...stage,
    stageVersion: sha256Hex(canonicalJson(describeStage(stage, changed))).slice(0, 16),
  }));
  const json = describe(definition, stages);
  return Object.freeze({ ...definition, stages, json, hash: sha256Hex(json).slice(0, 16) });
}

function applyToStage(
  stage: StageDefinition,
  { retry, timeoutMs, uses }: ProcessDefaults,
): StageDefinition {
  const takesRetry = retry !== null && stage.origins["retry"] === "default";
  const takesTimeout = timeoutMs !== null && stage.origins["timeout"] === "default";
  const takesUses = uses !== null && stage.uses === null;
  return {
    ...stage,
    ...(takesUses ? { uses } : {}),
    ...(takesRetry ? { retry } : {}),
    ...(takesTimeout ? { timeoutMs } : {}),
    origins: {
      ...stage.origins,
      ...(takesRetry ? { retry: "config" } : {}),
      ...(takesTimeout ? { timeout: "config" } : {}),
      ...(takesUses ? { uses: "config" } : {}),
    },
  };
}

/** The canonical JSON again, with the stages as they are now. */
function describe(definition: PipelineDefinition, stages: readonly StageDefinition[]): string {
  const before: unknown = JSON.parse(definition.json);
  const described = stages
    .map((stage) => ({ name: stage.name, ...describeStage(stage, stages) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return canonicalJson({ ...(isPlainRecord(before) ? before : {}), stages: described });
}
