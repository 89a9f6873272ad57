// The notices of a mill, as it is opened with them. Without any nothing of them is loaded.

import type { NotifySettings, ParsedNotify } from "../../../model/compile/notify-settings.ts";
import type { Pipeline } from "../../pipeline.ts";

/** What a mill has of notices. */
export interface MillNotices {
  /** Null: nobody is told. */
  readonly settings: ParsedNotify | null;
  /** Pipelines of our own that deliver them. */
  readonly pipelines: readonly Pipeline[];
}

/** Reads them. DEFINITION_INVALID with every fault. */
export async function readNotices(raw: NotifySettings | undefined): Promise<MillNotices> {
  if (raw === undefined) return { settings: null, pipelines: [] };
  const { openNotices } = await import("./open-notices.ts");
  return openNotices(raw);
}
