// What a mill has of events from its opening on: nothing that lives, only where who follows them may join. Both ends
// are met here: runs tell, and the bus and the archive, which most processes never load, listen.

import type { ParsedEventSettings } from "../../model/compile/event-settings.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { Emitter } from "../../std/emitter.ts";
import type { EventBus } from "./event-bus.ts";

/** Writes stored events to files. */
export interface ArchiveLink {
  /** Writes what is stored by now; answers whether files could not be written. Never rejects. */
  settle(): Promise<boolean>;
  /** The same for the last time. */
  close(): Promise<void>;
}

/** The events of one process. */
export interface EventWires {
  readonly settings: ParsedEventSettings;
  /** Told what is never stored, as it happens. Without listeners nothing is made. */
  readonly live: Emitter<MillraceEvent>;
  /** Null: nobody has read all events yet. */
  bus: EventBus | null;
  /** Null: not set up, or nothing was written yet. */
  archive: Promise<ArchiveLink> | null;
}

/** The wires of a mill that has just been opened. */
export function makeEventWires(settings: ParsedEventSettings): EventWires {
  return { settings, live: new Emitter(), bus: null, archive: null };
}
