// Who holds the places of a pipeline that a run would need (`maxActiveRuns`). From the store alone, by the
// definition that the run was made under, so that any process can tell.

import type { Blocker } from "../../model/blocker.ts";
import type { Store } from "../../storage/store.ts";
import { runName } from "./find-run.ts";
import type { RunFacts } from "./run-facts.ts";

/** Holders that a blocker names. */
const HOLDERS_MAX = 10;

/** What keeps a run that is queued, or that waits for a place, from starting; undefined: its pipeline has a place. */
export async function findPlaceBlocker(
  store: Pick<Store, "countRuns" | "listRuns">,
  { run, definition }: Pick<RunFacts, "run" | "definition">,
): Promise<Blocker | undefined> {
  const places = definition?.maxActiveRuns ?? null;
  const waits = run.state === "queued" || (run.state === "waiting" && run.reason === "busy");
  if (!waits || places === null) return undefined;
  const { pipeline } = run;
  const { running = 0 } = (await store.countRuns()).get(pipeline) ?? {};
  if (running < places) return undefined;
  const held = await store.listRuns({ pipeline, states: ["running"], limit: HOLDERS_MAX });
  const holders = held.map(runName);
  const more = running > holders.length ? ` and ${running - holders.length} more` : "";
  return {
    kind: "busy",
    name: pipeline,
    sinceMs: run.queuedAtMs,
    holders,
    basis: "unknown",
    text:
      places === 1
        ? `run ${holders.join(", ")} of pipeline "${pipeline}" is running, and one may be at a time`
        : `${running} of at most ${places} runs of pipeline "${pipeline}" are running: ${holders.join(", ")}${more}`,
  };
}
