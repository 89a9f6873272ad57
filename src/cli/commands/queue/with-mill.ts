// An open mill for a verb that changes runs and works on none: opened, used, closed whatever happens.

import type { Settings } from "../../../config/resolve.ts";
import { isMillraceError, MillraceError } from "../../../model/errors.ts";
import type { RunRecord } from "../../../model/run.ts";
import { openMillrace, type Millrace } from "../../../service/millrace.ts";
import type { Pipeline } from "../../../service/pipeline.ts";
import { runName } from "../../../service/queries/find-run.ts";
import type { CliContext } from "../../cli-context.ts";
import { loadRunTarget } from "../../load/load-run-target.ts";
import { quoteWord } from "../../next-command.ts";
import { readSettings } from "../../settings.ts";
import { withStoreIfAny, type StoreReader } from "../../with-store.ts";

/** What a mill is opened with. */
export interface MillParts {
  readonly pipelines: readonly Pipeline[];
  readonly settings: Settings;
}

/** Opens the store for writing, does the work, closes. */
export async function withMill<T>(
  context: CliContext,
  { pipelines, settings }: MillParts,
  work: (mill: Millrace) => Promise<T>,
): Promise<T> {
  await using mill = await openMillrace({
    store: settings.store.value,
    busyTimeoutMs: settings.busyTimeoutMs.value,
    pipelines,
    resources: settings.resources.value,
    events: settings.events.value,
    schedules: settings.schedules.value,
    probeMs: settings.probeMs.value,
    clock: context.clock,
    random: context.random,
    environment: context.env,
  });
  return await work(mill);
}

/** Does work that puts runs into a queue; QUEUE_FULL then says which command here works that queue. */
export async function whileNotFull<T>(
  reference: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isMillraceError(error) || error.code !== "QUEUE_FULL") throw error;
    const { message, hint, retryable, details } = error;
    const words = reference === undefined ? "" : ` ${quoteWord(reference)}`;
    throw new MillraceError("QUEUE_FULL", message, {
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
      next: `npx millrace queue run${words} --drain`,
      retryable,
      cause: error,
    });
  }
}

/**
 * The pipelines of runs that `find` names, each loaded from where one of its runs came; undefined where nobody has
 * made the default store yet. One that cannot be loaded is left out: its runs say so.
 */
export async function loadPipelinesOf(
  context: CliContext,
  find: (store: StoreReader) => Promise<readonly RunRecord[]>,
): Promise<MillParts | undefined> {
  const records = await withStoreIfAny(context, find);
  if (records === undefined) return undefined;
  const pipelines = new Map<string, Pipeline>();
  for (const run of records) {
    const pipeline = pipelines.has(run.pipeline) ? undefined : await tryLoad(context, run);
    if (pipeline !== undefined) pipelines.set(pipeline.name, pipeline);
  }
  return { pipelines: [...pipelines.values()], settings: await readSettings(context) };
}

async function tryLoad(context: CliContext, run: RunRecord): Promise<Pipeline | undefined> {
  const identity = { name: runName(run), pipeline: run.pipeline, source: run.source };
  try {
    const target = await loadRunTarget(context, identity);
    return target.pipeline.name === run.pipeline ? target.pipeline : undefined;
  } catch (error) {
    if (isMillraceError(error) && error.code.startsWith("PIPELINE_")) return undefined;
    throw error;
  }
}
