// Puts other settings of notices in force while a mill is open. What is being delivered goes on as it was begun. Where
// nobody is to be told any more, what is queued stays so, and is delivered once somebody is again.

import type { MillContext } from "../../mill-context.ts";
import type { MillNotices } from "./mill-notices.ts";

/** Who is told from now on. */
export function setNotices(mill: MillContext, notices: MillNotices): void {
  // One that was claimed a moment ago finds its pipeline, whatever is in force by now.
  for (const { definition } of notices.pipelines) mill.pipelines.set(definition.name, definition);
  mill.notices = notices;
}
