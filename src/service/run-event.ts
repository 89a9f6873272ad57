// The event that tells how a run ended, the same in memory and durably.

import type { RunEnd } from "../engine/ledger/journal.ts";
import type { EventDraft } from "../model/event.ts";
import { ERROR_LIST_CHARS_MAX } from "../model/limits.ts";
import { boundedText } from "../std/json.ts";

/** The last event of a run. */
export function toRunEvent(end: RunEnd): EventDraft {
  const { to, durationMs, warnings, reason, failure } = end;
  const word = to === "succeeded" || to === "failed" || to === "skipped" ? to : "cancelled";
  return {
    type: `run.${word}`,
    data: {
      durationMs,
      warnings,
      ...(reason === null ? {} : { reason }),
      ...(failure === null
        ? {}
        : {
            class: failure.class,
            fingerprint: failure.fingerprint,
            message: boundedText(failure.message, ERROR_LIST_CHARS_MAX),
            stage: failure.stage ?? "",
          }),
    },
  };
}
