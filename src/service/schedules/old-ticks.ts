// Records of ticks do not pile up: with every tick the two oldest go, if they are old enough.

import { RETENTION_MS_DEFAULT } from "../../model/defaults.ts";
import { TICKS_KEPT_MAX } from "../../model/limits.ts";
import type { RecordPut } from "../../storage/records/record-write.ts";
import type { Store } from "../../storage/store.ts";
import type { ScheduleState } from "../../model/schedule/schedule-state.ts";
import { tickKey } from "./known-schedule.ts";

/** Deleted with one tick: more than one comes, so that they become fewer after a change of the rule. */
const OLD_TICKS = 2;

/** How a schedule goes on. */
export interface GoingOn {
  readonly state: Pick<ScheduleState, "nextMs" | "waiting">;
  readonly nextMs: number | null;
}

/** Changes that delete ticks older than 30 days, or than the time of the 10,000 before. */
export async function listOldTicks(
  store: Store,
  name: string,
  { state, nextMs }: GoingOn,
): Promise<readonly RecordPut[]> {
  const nowMs = store.nowMs();
  const stepMs = state.nextMs === null || nextMs === null ? Infinity : nextMs - state.nextMs;
  const keptMs = Math.min(RETENTION_MS_DEFAULT, Math.max(1, stepMs) * TICKS_KEPT_MAX);
  const beforeKey = tickKey(name, nowMs - keptMs);
  const oldest = await store.listRecords({
    collection: "ticks",
    prefix: `${name}/`,
    limit: OLD_TICKS,
  });
  return oldest
    .filter(({ key }) => key < beforeKey)
    .map(({ key }) => ({ collection: "ticks", key, expected: null, value: undefined }));
}
