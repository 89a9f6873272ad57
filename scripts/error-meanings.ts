// What each error code means, for the reference page. A record over all codes: a new one compiles only once it
// is explained here.

import type { ErrorCode } from "../src/model/errors.ts";

/** One sentence per code. */
export const ERROR_MEANINGS: Readonly<Record<ErrorCode, string>> = {
  NODE_TOO_OLD: "The Node that runs the command is older than 24.15.0.",
  USAGE_INVALID: "The command line does not fit the verb; every fault is listed.",
  FLAG_UNKNOWN: "The verb has no such flag; the nearest one is suggested.",
  VERB_UNKNOWN: "There is no such verb; the nearest one is suggested.",
  CONFIG_NOT_FOUND: "A configuration file that was named does not exist.",
  CONFIG_INVALID:
    "The configuration has faults; all are listed with source, key, value and expectation.",
  PIPELINE_NOT_FOUND: "The pipeline file that was named does not exist.",
  PIPELINE_FILE_INVALID: "The pipeline file cannot be loaded, or exports no pipeline.",
  PIPELINE_UNKNOWN: "No pipeline of this name is configured or was passed in.",
  PIPELINE_AMBIGUOUS: "The file or configuration holds several pipelines and none was chosen.",
  DEFINITION_INVALID: "The definition has faults; all are listed at once, and nothing was started.",
  OPTION_INVALID: "A value is outside what its option accepts.",
  FEATURE_UNAVAILABLE:
    "The definition uses an option whose engine part does not exist in this version.",
  INPUT_INVALID: "The input, a list or an output does not fit its schema or shape.",
  PROVIDED_MISSING: "A `provided(...)` need has no value.",
  STAGE_UNKNOWN: "The pipeline has no such stage; the known ones are listed.",
  ITEM_UNKNOWN: "The map stage has no item of this key.",
  RUN_NOT_FOUND: "The store has no such run.",
  RUN_BUSY: "A live process works on the run; it is never taken from it.",
  QUEUE_FULL: "As many runs of the pipeline are queued or waiting as its `maxQueued` allows.",
  RUN_STATE_CONFLICT: "The run is in a state that does not allow this.",
  RUN_KEY_CONFLICT: "An active run has this key.",
  RUN_MOVE_ILLEGAL: "A state may not follow another; both are named.",
  CHECKPOINT_MISSING: "A stage that should be taken over was never finished over this input.",
  DEFINITION_CHANGED: "The definition changed in a way that this request cannot bridge.",
  OUTPUT_MISSING: "`unwrap` was asked for an output whose stage gave none.",
  STAGE_FAILED: "`unwrap` was called on a run that failed; this is its first failure.",
  VALUE_NOT_STORABLE: "A value cannot be stored; the path of the bad part is named.",
  VALUE_DAMAGED: "A stored value is gone or is not what was stored.",
  LEASE_LOST:
    "The run has another owner, or its store could not be reached in time; nothing more was written.",
  STORE_NOT_FOUND: "There is no store at this place, and the question asked makes none.",
  STORE_INVALID: "The text is no URL of a store, or what it names is no store.",
  STORE_DAMAGED: "The file is not a healthy SQLite database; nothing was changed.",
  STORE_BUSY: "Another process held the store for longer than the busy timeout.",
  STORE_FULL: "The disk, or the limit of the file, is full.",
  STORE_READ_ONLY: "The store cannot be written here.",
  STORE_TOO_NEW: "The store was written by a newer version; both versions are named.",
  STORE_UNSUPPORTED: "This kind of store does not exist in this version.",
  STORE_ON_NETWORK:
    "The file lies on a network file system, where SQLite's locks cannot be trusted.",
  STORE_CLOSED: "The store was closed before this call.",
  STORE_FAILED: "The store answered with a fault of its own.",
  SQLITE_TOO_OLD: "The SQLite of this Node is older than 3.51.3 and can damage a file.",
  FILE_EXISTS: "A file that would be written exists already; nothing was overwritten.",
  FILE_UNREADABLE: "A file cannot be read.",
  FILE_UNWRITABLE: "A file cannot be written.",
  SHUTDOWN: "The process is shutting down.",
  INTERNAL: "A fault of millrace itself; worth a report.",
};
