// The waits of a run, stage or item that are over, and what they cost by cause.

import type { RunRecord } from "../../model/run.ts";
import type { RetryRecord, StageRecord } from "../../model/checkpoint.ts";
import type { Store } from "../../storage/store.ts";
import { toBlockerView, type BlockerView } from "../views/blocker-view.ts";
import { toGateBlocker } from "../views/gate-blocker.ts";
import { sumWaits } from "../views/run-view.ts";
import { toIso, toWholeWaits } from "../views/time-view.ts";

/** One wait that is over, or goes on until `to`. */
export interface WaitView {
  readonly blocker: BlockerView;
  readonly from: string;
  readonly to: string;
}

/** Waits, oldest first, and their sums by cause in ms. */
export interface WaitHistory {
  readonly waits: readonly WaitView[];
  readonly totalsMs: Readonly<Record<string, number>>;
}

/** Reads the waits of a stage or item; of a run, those of all its stages (items are in the totals alone). */
export async function readWaitHistory(
  store: Store,
  run: RunRecord,
  address: { readonly stage?: string; readonly item?: string },
): Promise<WaitHistory> {
  const { stage, item } = address;
  const records = await store.listStages(run.id);
  const shown = stage === undefined ? records : records.filter((record) => record.stage === stage);
  const waits: WaitView[] = [];
  for (const record of shown) {
    const retries = await store.listRetries(run.id, record.stage, item ?? null);
    waits.push(...retries.flatMap(toWait));
    if (item === undefined) waits.push(...toGateWaits(record));
  }
  const one =
    stage === undefined || item === undefined
      ? undefined
      : await store.findItem(run.id, stage, item);
  if (one !== undefined) waits.push(...toGateWaits(one));
  return {
    waits: waits.toSorted((left, right) => left.from.localeCompare(right.from)),
    totalsMs: toWholeWaits(
      one === undefined ? sumWaits(shown.map((record) => record.waitedMs)) : one.waitedMs,
    ),
  };
}

function toWait(retry: RetryRecord): readonly WaitView[] {
  if (retry.delayMs === null || retry.delayMs === 0) return [];
  const name = retry.item === null ? retry.stage : `${retry.stage}/${retry.item}`;
  const blocker = toBlockerView({
    kind: "retry",
    name,
    basis: "exact",
    text: `attempt ${retry.attempt} failed with ${retry.class}: ${retry.message}`,
  });
  return [{ blocker, from: toIso(retry.endedAtMs), to: toIso(retry.endedAtMs + retry.delayMs) }];
}

/** Waits for resources: the longest ones, each told by what stood in the way. */
function toGateWaits({ trail }: Pick<StageRecord, "trail">): readonly WaitView[] {
  return (trail?.past ?? []).flatMap(({ blocker, fromMs, toMs }) => {
    const stored = toGateBlocker({ blocker, dueAtMs: null });
    if (stored === undefined) return [];
    const view = toBlockerView({ ...stored, basis: "exact" });
    return [{ blocker: view, from: toIso(fromMs), to: toIso(toMs) }];
  });
}
