// From the settings of notices to what a mill needs to deliver them.

import { definitionInvalid } from "../../../model/compile/compile.ts";
import { parseNotify } from "../../../model/compile/notify-settings.ts";
import type { DefinitionFault } from "../../../model/definition.ts";
import { makeNoticePipeline } from "./notice-pipeline.ts";
import type { MillNotices } from "./mill-notices.ts";

/** Reads them. DEFINITION_INVALID with every fault. */
export function openNotices(raw: unknown): MillNotices {
  const faults: DefinitionFault[] = [];
  const settings = parseNotify(raw, faults);
  if (settings === undefined) throw definitionInvalid("notify", faults, "The notices are");
  return { settings, pipelines: [makeNoticePipeline(settings)] };
}
