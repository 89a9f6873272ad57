// Why an item is in its state.

import type { ItemRecord } from "../../model/checkpoint.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Store } from "../../storage/store.ts";
import { findItemBlockers } from "../queries/find-blockers.ts";
import { getItem } from "../queries/get-item.ts";
import { getStage, type RunFacts } from "../queries/run-facts.ts";
import { sayMadeAnew } from "./cache-reason.ts";
import type { Answer } from "./answer.ts";
import { sayCrashesOf, sayPoison } from "./explain-crashes.ts";
import { sayGatesNext } from "./gate-words.ts";
import { refreshGates } from "./refresh-gates.ts";
import { sayHeld } from "./say-held.ts";
import { sayFailure, sayRetries, sayWhyCancelled, sayWhySkipped } from "./words.ts";

/** Explains an item. STAGE_UNKNOWN, ITEM_UNKNOWN. */
export async function explainItem(
  store: Store,
  facts: RunFacts,
  at: { readonly stage: string; readonly key: string },
): Promise<Answer> {
  const stage = getStage(facts, at.stage);
  const item = await getItem(store, facts, at);
  const retries = await store.listRetries(facts.run.id, at.stage, at.key);
  const anew =
    item.state === "succeeded" && item.via === "run"
      ? await sayMadeAnew(store, facts, { stage: at.stage, item: at.key })
      : "";
  const blockers = await refreshGates(store, findItemBlockers(facts, item));
  const waits = item.state === "waiting" ? sayHeld(facts, item, blockers) : undefined;
  const said = `${waits ?? tell(facts, item, stage.attempts)}${anew}`;
  return {
    state: item.state,
    summary: `${facts.name}/${at.stage}/${at.key} ${said}.`,
    blockers,
    notes: [
      ...sayGatesNext(blockers),
      ...sayRetries(retries),
      ...(await sayCrashesOf(store, facts, { stage: at.stage, item: at.key })),
    ],
  };
}

function tell(facts: RunFacts, item: ItemRecord, attemptsMax: number): string {
  switch (item.state) {
    case "pending":
      return `is pending: ${findItemBlockers(facts, item)[0]?.text ?? "nothing stands in its way"}`;
    case "running":
      return item.attempts > 1
        ? `is running, attempt ${item.attempts} of ${attemptsMax}`
        : "is running";
    case "waiting":
      return tellWaiting(facts, item, attemptsMax);
    case "succeeded":
      return tellSucceeded(item);
    case "failed":
      return (
        sayPoison(item.failure) ??
        `failed after ${item.attempts} of ${attemptsMax} attempts${sayOf(item)}`
      );
    case "upstream_failed":
      return `did not run: what it needs failed${sayOf(item)}`;
    case "skipped":
      return `was skipped: ${sayWhySkipped(item.reason)}`;
    case "cancelled":
      return `was cancelled: ${sayWhyCancelled(item.reason, facts.run.failure?.stage)}`;
  }
}

function tellWaiting(facts: RunFacts, item: ItemRecord, attemptsMax: number): string {
  const when =
    item.dueAtMs === null ? "" : ` in ${formatDuration(Math.max(0, item.dueAtMs - facts.nowMs))}`;
  return `is waiting for attempt ${item.attempts + 1} of ${attemptsMax}${when}${sayOf(item)}`;
}

function tellSucceeded(item: ItemRecord): string {
  if (item.via === "cache") return "succeeded: its result was found in the cache";
  if (item.via === "checkpoint") return "succeeded: its result was kept from before";
  const took = item.durationMs === null ? "" : ` in ${formatDuration(item.durationMs)}`;
  return `succeeded${took}${item.attempts > 1 ? `, in attempt ${item.attempts}` : ""}`;
}

function sayOf(item: ItemRecord): string {
  return item.failure === null ? "" : `: ${sayFailure(item.failure)}`;
}
