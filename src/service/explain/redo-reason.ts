// Why a resume did a stage again: the reason stands in the event of the resume.

import { RECENT_EVENTS_MAX } from "../../model/limits.ts";
import type { Store } from "../../storage/store.ts";
import { isRecord } from "../../std/record.ts";
import type { RunFacts } from "../queries/run-facts.ts";

/** Pages of events that are read: a run with more tells its reason only in its events. */
const PAGES_MAX = 20;

/** The reason of the newest resume that did this stage again; undefined if none did. */
export async function findRedoReason(
  store: Store,
  facts: RunFacts,
  stage: string,
): Promise<string | undefined> {
  let after = 0;
  let found: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const events = await store.listEvents({ runId: facts.run.id, after, limit: RECENT_EVENTS_MAX });
    for (const event of events) {
      if (event.type !== "run.resumed") continue;
      found = readReason(event.data?.["redo"], stage);
    }
    const last = events.at(-1);
    if (last === undefined || events.length < RECENT_EVENTS_MAX) return found;
    after = last.seq;
  }
  return found;
}

function readReason(redo: unknown, stage: string): string | undefined {
  if (!Array.isArray(redo)) return undefined;
  const entry: unknown = redo.find((each) => isRecord(each) && each["stage"] === stage);
  const reason = isRecord(entry) ? entry["reason"] : undefined;
  return typeof reason === "string" ? reason : undefined;
}
