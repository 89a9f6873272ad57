// What may be set about events, as a person writes it and as it is read: how many may read at once, which types are
// live only, and where stored ones are written as lines as well. Every fault with its path.

import type { Duration } from "../../std/duration.ts";
import {
  EVENT_FILE_BYTES_DEFAULT,
  EVENT_FILE_KEPT_MS_DEFAULT,
  SUBSCRIBERS_DEFAULT,
} from "../defaults.ts";
import type { DefinitionFault } from "../definition.ts";
import { type EventType, listTypeWords, listUnknownTypes, selectEventTypes } from "../event.ts";
import { EVENT_FILE_BYTES_MAX, EVENT_FILE_BYTES_MIN, SUBSCRIBERS_MAX } from "../limits.ts";
import { findNearest } from "../../std/nearest.ts";
import { describeValue, isPlainRecord, OptionReader } from "./option-reader.ts";

/** What may be set about events. */
export interface EventSettings {
  /** Readers of all events at once in one process, 1 to 10,000; one more is SUBSCRIBERS_FULL. Default 100. */
  readonly subscribers?: number;
  /** Types that are told to who reads now and never stored, `stage.logged` or `item.*`: less to write, and nothing to
   *  look up afterwards. Of stages, items, artifacts and reports from outside; what tells how a run goes is always
   *  stored. Default none. */
  readonly ephemeral?: readonly string[];
  /** Stored events as lines of JSON in files. Default: only the store has them. */
  readonly archive?: EventArchiveSettings;
}

/** Where and how long events are kept as files. */
export interface EventArchiveSettings {
  /** Made if need be; a relative path counts from the working folder. */
  readonly folder: string;
  /** Size from which on a new file is begun, 64 KiB to 1 TiB. Default 100 MB. */
  readonly rotateBytes?: number;
  /** Age from which on a file moves to the folder `archive` beside it. Default 7 days. */
  readonly keep?: Duration;
  /** True: besides the file of a day one file per run. Default false. */
  readonly perRun?: boolean;
}

/** The same, read. */
export interface ParsedEventSettings {
  readonly subscribersMax: number;
  readonly liveOnly: ReadonlySet<EventType>;
  /** Null: none. */
  readonly archive: ParsedEventArchive | null;
}

/** Where stored events are written as lines. */
export interface ParsedEventArchive {
  readonly folder: string;
  readonly rotateBytes: number;
  readonly keepMs: number;
  readonly perRun: boolean;
}

const KEYS = ["subscribers", "ephemeral", "archive"];
const ARCHIVE_KEYS = ["folder", "rotateBytes", "keep", "perRun"];

/** What is in force where nothing is set. */
export const EVENT_SETTINGS_DEFAULT: ParsedEventSettings = {
  subscribersMax: SUBSCRIBERS_DEFAULT,
  liveOnly: new Set(),
  archive: null,
};

/** Reads the settings; every fault goes to `faults`, under the path `events`. */
export function parseEventSettings(raw: unknown, faults: DefinitionFault[]): ParsedEventSettings {
  if (raw === undefined) return EVENT_SETTINGS_DEFAULT;
  if (!isPlainRecord(raw)) {
    faults.push({
      path: "events",
      message: `expected a record of options; got ${describeValue(raw)}`,
    });
    return EVENT_SETTINGS_DEFAULT;
  }
  const reader = new OptionReader(raw, "events", faults);
  reader.refuseUnknown(KEYS);
  const subscribersMax = reader.number("subscribers", { min: 1, max: SUBSCRIBERS_MAX });
  return {
    subscribersMax: subscribersMax ?? SUBSCRIBERS_DEFAULT,
    liveOnly: parseLiveOnly(reader),
    archive: parseArchive(reader),
  };
}

/** True for settings that can hold; every fault goes to `faults`, under the path `events`. */
export function checkEventSettings(raw: unknown, faults: DefinitionFault[]): raw is EventSettings {
  const before = faults.length;
  parseEventSettings(raw, faults);
  return faults.length === before;
}

function parseLiveOnly(reader: OptionReader): ReadonlySet<EventType> {
  const words = reader.texts("ephemeral", 100) ?? [];
  for (const word of listUnknownTypes(words)) {
    const near = findNearest(word, listTypeWords());
    const hint = near === undefined ? undefined : `did you mean "${near}"?`;
    reader.fault("ephemeral", `there is no type of event "${word}"`, hint);
  }
  const types = selectEventTypes(words);
  const kept = [...types].filter((type) => !mayBeLiveOnly(type));
  if (kept.length > 0) {
    const hint = "types of stages, items and artifacts, and external.reported, may be live only";
    reader.fault("ephemeral", `always stored: ${kept.join(", ")}`, hint);
  }
  return types;
}

/** What is asked of the past, to resume, to judge and to account, is read from states and not from these. */
function mayBeLiveOnly(type: EventType): boolean {
  return /^(?:stage|item|artifact|external)\./.test(type);
}

function parseArchive(reader: OptionReader): ParsedEventArchive | null {
  const archive = reader.nested("archive");
  if (archive === undefined) return null;
  archive.refuseUnknown(ARCHIVE_KEYS);
  const folder = archive.text("folder", 4_096);
  if (!archive.has("folder")) archive.fault("folder", "is missing", "name a folder");
  const bounds = { min: EVENT_FILE_BYTES_MIN, max: EVENT_FILE_BYTES_MAX };
  return {
    folder: folder ?? "",
    rotateBytes: archive.number("rotateBytes", bounds) ?? EVENT_FILE_BYTES_DEFAULT,
    keepMs: archive.durationMs("keep") ?? EVENT_FILE_KEPT_MS_DEFAULT,
    perRun: archive.boolean("perRun") ?? false,
  };
}
