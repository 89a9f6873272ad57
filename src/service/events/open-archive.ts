// The archive of a mill, made with the first run that it works on, and by a service that starts.

import { assert } from "../../std/error/assert.ts";
import type { ArchiveLink } from "../feed/event-wires.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
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

/** For a process that serves: the archive follows what other processes store from now on, before any run is worked on
 *  here. Nothing where no folder is set up. */
export async function startArchive(facade: object): Promise<void> {
  const mill = contextOf(facade);
  if (mill.events.settings.archive !== null) await openArchive(mill);
}
