// What a mill is told about events when it is opened.

import {
  EVENT_SETTINGS_DEFAULT,
  type ParsedEventSettings,
  parseEventSettings,
} from "../../model/compile/event-settings.ts";
import type { DefinitionFault } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";
import type { OpenOptions } from "../mill/open-options.ts";

/** Reads them. OPTION_INVALID with all faults. Who only asks questions writes no files. */
export function readEventOptions({ events, mode }: OpenOptions): ParsedEventSettings {
  if (events === undefined) return EVENT_SETTINGS_DEFAULT;
  const faults: DefinitionFault[] = [];
  const settings = parseEventSettings(events, faults);
  if (faults.length > 0) {
    const lines = faults.map(({ path, message, hint }) =>
      hint === undefined ? `  ${path}: ${message}` : `  ${path}: ${message}; ${hint}`,
    );
    const message = `The settings of events cannot hold:\n${lines.join("\n")}`;
    throw new MillraceError("OPTION_INVALID", message, {
      details: { faults: faults.map((fault) => ({ ...fault })) },
    });
  }
  return mode === "read" ? { ...settings, archive: null } : settings;
}
