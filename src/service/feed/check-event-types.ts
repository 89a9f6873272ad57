// Words for types of events, as people and programs ask for them.

import { MillraceError } from "../../model/errors.ts";
import { listTypeWords, listUnknownTypes } from "../../model/event.ts";
import { findNearest } from "../../std/nearest.ts";

/** Refuses words that mean no type of event. OPTION_INVALID with all of them, and the nearest that there is. */
export function checkEventTypes(words: readonly string[]): void {
  const unknown = listUnknownTypes(words);
  const [first] = unknown;
  if (first === undefined) return;
  const near = findNearest(first, listTypeWords());
  throw new MillraceError(
    "OPTION_INVALID",
    `There is no type of event ${unknown.map((word) => `"${word}"`).join(", ")}.`,
    {
      hint:
        near === undefined
          ? "types are words such as run.failed, or stage.* for all of a noun"
          : `did you mean "${near}"?`,
      details: { given: [...words], unknown: [...unknown] },
    },
  );
}
