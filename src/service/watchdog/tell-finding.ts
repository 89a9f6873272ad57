// Tells a finding as an event, of its run where it is about one, and repairs what this process can repair of itself.

import type { EventDraft } from "../../model/event.ts";
import { ERROR_LIST_CHARS_MAX } from "../../model/limits.ts";
import type { Seen, Sighting } from "../../policy/watchdog/finding.ts";
import { boundedText } from "../../std/json.ts";
import type { MillContext } from "../mill-context.ts";

/** Since when the run had been silent, and when its event was told: by the store's clock, ms. */
export interface ToldFinding {
  readonly sinceMs: number;
  readonly atMs: number;
}

/** Blockers that an event names. */
const BLOCKERS_TOLD_MAX = 10;

/** Tells it. Null: of no run. Rejects with what the store rejects with. */
export async function tellFinding(
  mill: MillContext,
  { sighting }: Seen,
): Promise<ToldFinding | null> {
  const { runId } = sighting;
  const before = runId === undefined ? undefined : await mill.store.findRun(runId);
  if (runId === undefined || before === undefined) {
    await mill.committer.write({ kind: "tell-outside", runId: null, events: [toEvent(sighting)] });
    return null;
  }
  const result = await mill.committer.write({
    kind: "tell-outside",
    runId,
    events: [toEvent(sighting)],
  });
  // Nothing of it goes on in this process: it is given back, and goes on from its checkpoints.
  if (sighting.rule === "stranded") await mill.live.get(runId)?.giveBack();
  return result.kind === "done" ? { sinceMs: before.updatedAtMs, atMs: result.numbers.atMs } : null;
}

function toEvent({ rule, subject, message, blockers }: Sighting): EventDraft {
  return {
    type: "watchdog.warned",
    data: {
      rule,
      subject,
      message: boundedText(message, ERROR_LIST_CHARS_MAX),
      ...(blockers === undefined
        ? {}
        : {
            blockers: blockers
              .slice(0, BLOCKERS_TOLD_MAX)
              .map((text) => boundedText(text, ERROR_LIST_CHARS_MAX)),
          }),
    },
  };
}
