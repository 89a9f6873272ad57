// From how people name a run to its record: short name in any case, full id, or `last`. The word wins over a
// number that is spelt the same.

import { MillraceError } from "../../model/errors.ts";
import type { RunRecord } from "../../model/run.ts";
import type { Store } from "../../storage/store.ts";
import { parseCrockford, toCrockford } from "../../std/crockford.ts";
import { isUuid } from "../../std/id.ts";

/** The newest run of the store. */
const LAST_RUN = "last";

/** Short name of a run: its number in Crockford base32. */
export function runName(run: Pick<RunRecord, "number">): string {
  return toCrockford(run.number);
}

/** The run that `reference` means. RUN_NOT_FOUND. */
export async function findRun(store: Store, reference: string): Promise<RunRecord> {
  const found = await lookUp(store, reference.trim());
  if (found !== undefined) return found;
  throw await runNotFound(store, reference);
}

async function lookUp(store: Store, reference: string): Promise<RunRecord | undefined> {
  if (reference.toLowerCase() === LAST_RUN) return findNewest(store);
  if (isUuid(reference)) return store.findRun(reference.toLowerCase());
  const number = parseCrockford(reference);
  return number === undefined || number === 0 ? undefined : store.findRunByNumber(number);
}

async function findNewest(store: Store): Promise<RunRecord | undefined> {
  const [newest] = await store.listRuns({ limit: 1 });
  return newest;
}

async function runNotFound(store: Store, reference: string): Promise<MillraceError> {
  const newest = await findNewest(store);
  if (newest === undefined) {
    return new MillraceError(
      "RUN_NOT_FOUND",
      `There is no run "${reference}": the store ${store.url} holds no runs.`,
      {
        hint: "start one with `millrace run`, or name another --store",
        next: "npx millrace runs",
        details: { given: reference },
      },
    );
  }
  return new MillraceError("RUN_NOT_FOUND", `There is no run "${reference}" in ${store.url}.`, {
    hint: `the newest is "${runName(newest)}"; a run is named by its short name, its id, or last`,
    next: "npx millrace runs",
    details: { given: reference, newest: runName(newest) },
  });
}
