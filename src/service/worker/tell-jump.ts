// Tells that the wall clock jumped: once, although every process of the machine notices it.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import type { MillContext } from "../mill-context.ts";

/** What others noticed within this is the same jump, ms. */
const SAME_MS = 30_000;
/** Two that measure the same jump differ by no more, ms. */
const APART_MS = 5_000;

/** Writes `clock.jumped`, unless somebody did. Rejects with what the store rejects with. */
export async function tellJump(
  { store, committer }: Pick<MillContext, "store" | "committer">,
  byMs: number,
): Promise<void> {
  const record = await store.findRecord("duties", "clock-jump");
  const nowMs = store.nowMs();
  if (record !== undefined && nowMs - record.updatedAtMs < SAME_MS) {
    const told = isPlainRecord(record.value) ? record.value["byMs"] : undefined;
    if (typeof told === "number" && Math.abs(told - byMs) < APART_MS) return;
  }
  // Of two that come at once one is refused, and has nothing left to tell.
  await committer.write({
    kind: "put-records",
    puts: [
      {
        collection: "duties",
        key: "clock-jump",
        expected: record?.revision ?? 0,
        value: { byMs },
      },
    ],
    events: [{ type: "clock.jumped", data: { byMs, clock: "wall" } }],
  });
}
