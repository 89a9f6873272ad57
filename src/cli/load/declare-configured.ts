// What the configuration and the pipelines that it lists declare of resources.

import { basename } from "node:path";
import type { Settings } from "../../config/resolve.ts";
import { declareResources } from "../../service/resources/declare-resources.ts";
import type { Pipeline } from "../../service/pipeline.ts";
import { listConfigured } from "./find-pipelines.ts";

/** The pipelines of the configuration; none where there is no configuration. CONFIG_INVALID. */
export function listConfiguredPipelines(settings: Settings): readonly Pipeline[] {
  if (settings.file === null) return [];
  const found = listConfigured(settings.pipelines, basename(settings.file));
  return found.map(({ pipeline }) => pipeline);
}

/** Their resources, under the settings. CONFIG_INVALID, RESOURCE_UNKNOWN, RESOURCE_CONFLICT. */
export function declareConfigured(settings: Settings): ReturnType<typeof declareResources> {
  const pipelines = listConfiguredPipelines(settings);
  return declareResources(
    settings.resources.value,
    pipelines.map(({ definition }) => definition),
  );
}
