// The notices of a mill, as it is opened with them. Without any nothing of them is loaded.

import type { NotifySettings } from "../../../model/compile/notify-settings.ts";
import type { MillNotices } from "./mill-notices.ts";

/** Reads them. DEFINITION_INVALID with every fault. */
export async function readNotices(raw: NotifySettings | undefined): Promise<MillNotices> {
  if (raw === undefined) return { settings: null, pipelines: [] };
  const { openNotices } = await import("./open-notices.ts");
  return openNotices(raw);
}
