// What the settings of this command add to a pipeline that is shown: the settings of the process, and in words where
// each came from.

import { basename } from "node:path";
import { describeOrigin, type Setting, type Settings } from "../../config/resolve.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { declareResources } from "../../service/resources/declare-resources.ts";
import type { PipelineSurroundings } from "../../service/views/pipeline/pipeline-view.ts";
import type { ShownSetting } from "../../service/views/pipeline/setting-view.ts";
import type { Json } from "../../std/json.ts";

/** The surroundings of a pipeline here. RESOURCE_UNKNOWN, RESOURCE_CONFLICT. */
export function surroundingsOf(
  definition: PipelineDefinition,
  settings: Settings,
): PipelineSurroundings {
  return {
    origins: {
      retry: sayOrigin(settings.retry),
      timeout: sayOrigin(settings.timeoutMs),
      uses: sayOrigin(settings.uses),
    },
    resources: {
      declared: declareResources(settings.resources.value, [definition]),
      origin: sayOrigin(settings.resources),
    },
    settings: {
      store: show(settings.store),
      busyTimeoutMs: show(settings.busyTimeoutMs),
      attemptsInFlight: show(settings.attemptsInFlight),
      threads: show(settings.threads),
      leaseMs: show(settings.leaseMs),
      heartbeatMs: show(settings.heartbeatMs),
      logLevel: show(settings.logLevel),
      logFile: show(settings.logFile),
    },
  };
}

function show(setting: Setting<Json>): ShownSetting {
  return { value: setting.value, origin: sayOrigin(setting) };
}

function sayOrigin({ origin }: Setting<unknown>): string {
  return describeOrigin(origin, (path) => basename(path));
}
