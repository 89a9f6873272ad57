// What a mill has of notices: from its opening on, until its settings change.

import type { ParsedNotify } from "../../../model/compile/notify-settings.ts";
import type { Pipeline } from "../../pipeline.ts";

/** The notices of a mill. */
export interface MillNotices {
  /** Null: nobody is told. */
  readonly settings: ParsedNotify | null;
  /** Pipelines of our own that deliver them. */
  readonly pipelines: readonly Pipeline[];
}
