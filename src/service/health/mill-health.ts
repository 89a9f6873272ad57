// Health of an open mill: its own store, the pipelines it was opened with, and their resources.

import type { MillContext } from "../mill-context.ts";
import type { HealthView } from "../views/health-view.ts";
import { showHealth, type HealthOptions } from "./show-health.ts";

/** Reads health with what a mill knows. Probes end after the time it was opened with, unless another one is asked. */
export function readMillHealth(mill: MillContext, options: HealthOptions): Promise<HealthView> {
  const { store, pipelines, resources, world, probeMs, standing } = mill;
  return showHealth(
    { store, definitions: pipelines, resources, clock: world.clock, watch: standing.watch },
    {
      probeMs,
      ...options,
    },
  );
}
