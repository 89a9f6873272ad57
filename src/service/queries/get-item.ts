// One item of a run by its key.

import type { ItemRecord } from "../../model/checkpoint.ts";
import { MillraceError } from "../../model/errors.ts";
import type { Store } from "../../storage/store.ts";
import { listRunningItems, type RunFacts } from "./run-facts.ts";

/** The item of this key; one that only runs, without a row yet, counts. ITEM_UNKNOWN. */
export async function getItem(
  store: Store,
  facts: RunFacts,
  at: { readonly stage: string; readonly key: string },
): Promise<ItemRecord> {
  const found = await store.findItem(facts.run.id, at.stage, at.key);
  const isRunning = listRunningItems(facts, at.stage).includes(at.key);
  if (found !== undefined) {
    if (isRunning) return { ...found, state: "running" };
    // Its start is stored, and a block of it waits.
    const isHeld = found.state === "running" && found.blocker !== null;
    return isHeld ? { ...found, state: "waiting" } : found;
  }
  if (isRunning) return toRunningItem(at);
  throw await itemUnknown(store, facts, at);
}

/** The fault of a key that no item of the stage has. */
export async function itemUnknown(
  store: Store,
  facts: RunFacts,
  at: { readonly stage: string; readonly key: string },
): Promise<MillraceError> {
  const [first] = await store.listItems({ runId: facts.run.id, stage: at.stage, limit: 1 });
  return new MillraceError(
    "ITEM_UNKNOWN",
    `Stage "${at.stage}" of run "${facts.name}" has no item "${at.key}".`,
    {
      hint:
        first === undefined
          ? "none of its items has been begun, or it has none"
          : `an item is named by its key, as in "${first.key}"; one that was not begun is not listed`,
      next: `npx millrace items ${facts.name}/${at.stage}`,
      details: { given: at.key },
    },
  );
}

function toRunningItem(at: { readonly stage: string; readonly key: string }): ItemRecord {
  return {
    stage: at.stage,
    key: at.key,
    index: -1,
    state: "running",
    via: null,
    attempts: 1,
    output: null,
    inputVersion: null,
    reason: null,
    failure: null,
    metrics: {},
    waitedMs: {},
    dueAtMs: null,
    blocker: null,
    startedAtMs: null,
    endedAtMs: null,
    durationMs: null,
  };
}
