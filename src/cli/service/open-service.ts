// The mill of a process that lives long: `worker` and `serve` open theirs alike.

import type { Settings } from "../../config/resolve.ts";
import { startArchive } from "../../service/events/open-archive.ts";
import { openMillrace, type Millrace } from "../../service/millrace.ts";
import { isPipeline, type Pipeline } from "../../service/pipeline.ts";
import type { CliContext } from "../cli-context.ts";
import { hooksModule } from "../module-hooks.ts";
import { printRemark } from "../print.ts";
import { leaseOf, threadsOf } from "../settings.ts";

/** What it is opened with. */
export interface ServiceParts {
  readonly settings: Settings;
  readonly pipelines: readonly Pipeline[];
  /** Shown among the workers. Default: host and pid. */
  readonly name?: string | undefined;
}

/** Opens it. What is odd is told as a remark. */
export async function openService(
  context: CliContext,
  { settings, pipelines, name }: ServiceParts,
): Promise<Millrace> {
  const mill = await openMillrace({
    store: settings.store.value,
    busyTimeoutMs: settings.busyTimeoutMs.value,
    concurrency: settings.attemptsInFlight.value,
    ...threadsOf(settings),
    lease: leaseOf(settings),
    pipelines: pipelines.filter((each) => isPipeline(each)),
    provide: settings.provide,
    resources: settings.resources.value,
    events: settings.events.value,
    schedules: settings.schedules.value,
    ...(settings.notify.value === null ? {} : { notify: settings.notify.value }),
    probeMs: settings.probeMs.value,
    clock: context.clock,
    random: context.random,
    environment: context.env,
    childImports: [hooksModule()],
    onWarning: (message) => printRemark(context, message),
    ...(name === undefined ? {} : { workerName: name }),
  });
  await startArchive(mill);
  return mill;
}
