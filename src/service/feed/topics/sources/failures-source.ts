// What makes runs fail, by kind: runs of the newest that failed, grouped by the fingerprint of their failure.

import type { ErrorClass } from "../../../../model/outcome.ts";
import type { RunRecord } from "../../../../model/run.ts";
import type { Store } from "../../../../storage/store.ts";
import { runName } from "../../../queries/find-run.ts";
import { toIso } from "../../../views/time-view.ts";

/** One kind of failure. */
export interface FailureGroupView {
  readonly fingerprint: string;
  readonly class: ErrorClass;
  readonly message: string;
  readonly code?: string;
  readonly stage?: string;
  readonly pipelines: readonly string[];
  /** Among the newest 200 that failed. */
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
  /** The newest of them. */
  readonly last: { readonly id: string; readonly name: string };
}

/** Runs that are looked at. */
const FAILED_RUNS_MAX = 200;

/** Groups them, the one that was seen last first. */
export async function listFailureGroups(
  store: Pick<Store, "listRuns">,
): Promise<readonly FailureGroupView[]> {
  const failed = await store.listRuns({ states: ["failed"], limit: FAILED_RUNS_MAX });
  const groups = new Map<string, RunRecord[]>();
  for (const run of failed) {
    if (run.failure === null) continue;
    const { fingerprint } = run.failure;
    const known = groups.get(fingerprint);
    if (known === undefined) groups.set(fingerprint, [run]);
    else known.push(run);
  }
  return [...groups.values()].flatMap(toGroup);
}

/** Newest first. */
function toGroup(runs: readonly RunRecord[]): readonly FailureGroupView[] {
  const [newest] = runs;
  const oldest = runs.at(-1);
  if (newest === undefined || oldest === undefined || newest.failure === null) return [];
  const { fingerprint, class: kind, message, code, stage } = newest.failure;
  return [
    {
      fingerprint,
      class: kind,
      message,
      ...(code === undefined ? {} : { code }),
      ...(stage === undefined ? {} : { stage }),
      pipelines: [...new Set(runs.map(({ pipeline }) => pipeline))].toSorted(),
      count: runs.length,
      firstAt: toIso(oldest.endedAtMs ?? oldest.updatedAtMs),
      lastAt: toIso(newest.endedAtMs ?? newest.updatedAtMs),
      last: { id: newest.id, name: runName(newest) },
    },
  ];
}
