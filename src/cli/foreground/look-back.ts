// What earlier runs tell of the one that is watched: read while it works, never before it starts, and loaded only
// then. Whatever goes wrong here is no business of the run.

import type { PipelineDefinition } from "../../model/definition.ts";
import type { Millrace } from "../../service/millrace.ts";
import { readRunHistory } from "../../service/queries/run-history.ts";
import { makeForecast } from "../render/progress/time-left.ts";
import type { Watch } from "./watch.ts";

/** Reads the past of a pipeline and tells those who watch; without a past nothing is told. Never rejects. */
export async function lookBack(
  store: Millrace["store"],
  definition: PipelineDefinition,
  watch: Pick<Watch, "progress" | "foresee">,
): Promise<void> {
  try {
    const history = await readRunHistory(store, definition.name);
    if (history.runs > 0) watch.foresee(makeForecast(watch.progress, definition, history));
  } catch {
    // The store may be closed by now, or busy: then nobody hears how long it takes.
  }
}
