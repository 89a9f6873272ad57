// The archive of a mill, made with the first run that it works on, and by a service that starts.

import { assert } from "../../std/assert.ts";
import type { ArchiveLink } from "../feed/event-wires.ts";
import type { MillContext } from "../mill-context.ts";
import { EventArchive } from "./archive/event-archive.ts";

/** The one archive of this mill, which follows the store from now on. Only where its settings name a folder. */
export function openArchive(mill: MillContext): Promise<ArchiveLink> {
  const { events } = mill;
  if (events.archive !== null) return events.archive;
  const settings = events.settings.archive;
  assert(settings !== null, "No folder for events is set up.");
  const archive = new EventArchive(mill, settings);
  archive.follow();
  events.archive = Promise.resolve(archive);
  return events.archive;
}
