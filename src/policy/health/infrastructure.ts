// Which failures say that what a pipeline stands on is broken, and not the pipeline: its process, its disk, its store.
// Classes decide, never words: a message that speaks of a full disk or a lock says nothing here.

import type { ErrorClass } from "../../model/outcome.ts";

/**
 * For each class what it says of the ground a pipeline stands on; null: nothing. Null too for faults of the other side
 * (`unreachable`, `server`, ...), which pass or show as failures in a row, and for a file that is missing
 * (`local-config`), which is most often one that the pipeline asked for.
 */
const INFRASTRUCTURE: Readonly<Record<ErrorClass, string | null>> = {
  unreachable: null,
  "dns-missing": null,
  broken: null,
  timeout: null,
  throttled: null,
  server: null,
  "replay-later": null,
  auth: null,
  "tls-config": null,
  permanent: null,
  "already-done": null,
  "no-verdict": null,
  "data-loss": "stored data was damaged",
  "db-conflict": null,
  "db-away": "a database was away",
  "db-full": "a database was full",
  "local-resource": "disk, memory or open files ran out",
  "local-config": null,
  subprocess: null,
  crash: "its process died",
  bug: null,
  cancelled: null,
  fenced: null,
  deadline: null,
  ambiguous: null,
  "breaker-open": null,
  "deferral-exhausted": null,
  poison: "a stage took its process along again and again",
  unknown: null,
};

/** What a class of failure says of the ground, as part of a sentence: `its process died`. Null: nothing, so that it does
 *  not block a pipeline. */
export function sayInfrastructure(errorClass: ErrorClass): string | null {
  return INFRASTRUCTURE[errorClass];
}
