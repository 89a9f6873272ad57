// How large a write will be, by a guess that costs next to nothing: only what can be long is looked at, and a
// character counts as a byte. It bounds transactions, and nothing depends on its being exact.

import type { StateEntry } from "../model/checkpoint.ts";
import type { StoredValue } from "../model/outcome.ts";
import type { Write } from "./write.ts";

// A row with its keys, times and index entries.
const ROW_BYTES = 300;
const EVENT_BYTES = 200;
// The bound of a failure: message, first message and envelope.
const FAILURE_BYTES = 4_096;

/** Estimated bytes that a write adds to its transaction. */
export function estimateBytes(write: Write): number {
  switch (write.kind) {
    case "create-batch":
    case "wake-runs":
      return ROW_BYTES;
    case "claim-next":
      return write.limit * (ROW_BYTES + EVENT_BYTES);
    case "reset-stages":
      return ROW_BYTES * (1 + write.stages.length) + eventBytes(write);
    case "create-run":
      return 2 * ROW_BYTES + write.run.input.length + eventBytes(write);
    case "claim-run":
      return ROW_BYTES * (1 + write.resetStages.length) + eventBytes(write);
    case "put-stage":
    case "put-item": {
      const { output, failure } = write.record;
      const failureBytes = failure === null ? 0 : FAILURE_BYTES;
      return (
        ROW_BYTES + inlineBytes(output) + failureBytes + stateBytes(write.state) + eventBytes(write)
      );
    }
    case "delete-runs":
      return ROW_BYTES * (2 * write.runIds.length + write.rowsMax);
    case "put-memo":
      return ROW_BYTES + write.value.length + eventBytes(write);
    case "put-cache":
      return 2 * ROW_BYTES + inlineBytes(write.entry.output) + stateBytes(write.entry.state);
    case "drop-items":
      return ROW_BYTES * (1 + write.keys.length) + eventBytes(write);
    case "place-items":
      return ROW_BYTES * (1 + write.places.length) + eventBytes(write);
    case "take-permits":
    case "release-permits":
      return 2 * ROW_BYTES * write.uses.length;
    case "set-resource":
      return ROW_BYTES + EVENT_BYTES;
    case "put-records":
      return recordBytes(write) + eventBytes(write);
    case "tell-outside":
    case "tell":
    case "move-run":
    case "interrupt-run":
    case "put-crash":
      return ROW_BYTES + eventBytes(write);
    case "reclaim-run":
      return ROW_BYTES * (1 + (write.suspects?.length ?? 0)) + eventBytes(write);
    case "request-cancel":
      return ROW_BYTES + EVENT_BYTES;
  }
}

// The values of records are not encoded yet: a guess that errs on the large side is enough.
function recordBytes({ puts, run }: Extract<Write, { readonly kind: "put-records" }>): number {
  return 4 * ROW_BYTES * puts.length + (run === undefined ? 0 : estimateBytes(run));
}

function eventBytes(write: { readonly events: readonly unknown[] }): number {
  return write.events.length * EVENT_BYTES;
}

function inlineBytes(output: StoredValue | null): number {
  return output?.kind === "inline" ? output.text.length : 0;
}

function stateBytes(entries: readonly StateEntry[] | undefined): number {
  if (entries === undefined) return 0;
  return entries.reduce((bytes, entry) => bytes + ROW_BYTES + entry.value.length, 0);
}
