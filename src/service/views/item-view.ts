// An item of a map stage as documents show it.

import type { ItemRecord } from "../../model/checkpoint.ts";
import type { StageState, Via } from "../../model/outcome.ts";
import type { Json } from "../../std/json.ts";
import { toBlockerView, type BlockerView } from "./blocker-view.ts";
import { toFailureView, type FailureView } from "./failure-view.ts";
import { findWaitBlocker } from "./stage-view.ts";
import { toIso, toWholeMs, toWholeWaits } from "./time-view.ts";

/** One item. */
export interface ItemView {
  readonly key: string;
  readonly index: number;
  readonly state: StageState;
  readonly via?: Via;
  readonly attempts: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly waitedMs: Readonly<Record<string, number>>;
  /** Only where it was asked for. */
  readonly output?: Json;
  readonly error?: FailureView;
  readonly blocker?: BlockerView;
  readonly reason?: string;
}

/** The view of an item, without its output. */
export function toItemView(item: ItemRecord): ItemView {
  const blocker = item.state === "waiting" ? findWaitBlocker(item, item.key) : undefined;
  return {
    key: item.key,
    index: item.index,
    state: item.state,
    ...(item.via === null ? {} : { via: item.via }),
    attempts: item.attempts,
    ...(item.startedAtMs === null ? {} : { startedAt: toIso(item.startedAtMs) }),
    ...(item.endedAtMs === null ? {} : { endedAt: toIso(item.endedAtMs) }),
    ...(item.durationMs === null ? {} : { durationMs: toWholeMs(item.durationMs) }),
    waitedMs: toWholeWaits(item.waitedMs),
    ...(item.failure === null
      ? {}
      : { error: toFailureView(item.failure, { stage: item.stage, item: item.key }) }),
    ...(blocker === undefined ? {} : { blocker: toBlockerView(blocker) }),
    ...(item.reason === null ? {} : { reason: item.reason }),
  };
}
