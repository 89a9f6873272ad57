// Checks of what the stages of the configured pipelines depend on: their `health()` probes, and resources as the store
// has them. One that fails or hangs is one failed check, and hides none of the others.

import type { Settings } from "../../config/resolve.ts";
import { showHealth, type HealthSources } from "../../service/health/show-health.ts";
import type { CliContext } from "../cli-context.ts";
import { declareConfigured, listConfiguredPipelines } from "../load/declare-configured.ts";
import { openReader } from "../../service/queries/open-reader.ts";
import type { HealthView } from "../../service/views/health-view.ts";
import type { Check } from "./check.ts";

/** A check for each probe and for each resource; none where the configuration could not be read. */
export async function checkStages(
  context: CliContext,
  settings: Settings | undefined,
): Promise<readonly Check[]> {
  if (settings === undefined) return [];
  const pipelines = listConfiguredPipelines(settings);
  const sources = {
    definitions: new Map(pipelines.map(({ name, definition }) => [name, definition] as const)),
    resources: declareConfigured(settings),
    clock: context.clock,
  };
  const health = await askHealth(settings, sources);
  return [
    ...health.stages.map(({ pipeline, stage, status, message, tookMs }) => ({
      name: `stage ${pipeline}/${stage}`,
      status,
      value: message ?? `answered in ${tookMs} ms`,
    })),
    ...health.resources.map(({ resource, status, message }) => ({
      name: `resource ${resource}`,
      status,
      value: message ?? "lets calls go",
      ...(status === "ok" ? {} : { next: `npx millrace resources list ${resource}` }),
    })),
  ];
}

/** Of the store as it is, in the mode that makes no file; without it where it can not be opened, which is a failed check
 *  already. */
async function askHealth(
  { store: { value: url }, probeMs }: Settings,
  sources: Omit<HealthSources, "store">,
): Promise<HealthView> {
  const options = { probeMs: probeMs.value };
  const store =
    url === "memory:" ? null : await openReader(url, { mode: "plan" }).catch(() => null);
  try {
    return await showHealth({ ...sources, store }, options);
  } finally {
    await store?.close();
  }
}
