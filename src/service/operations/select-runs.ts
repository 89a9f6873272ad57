// Which runs an operation touches: those that its filter finds and its action allows. What the filter finds besides is
// counted with the reason, so that nobody wonders.

import { MillraceError } from "../../model/errors.ts";
import { OPERATION_RUNS_MAX, PAGE_ROWS_MAX } from "../../model/limits.ts";
import { RUN_STATES, type RunRecord, type RunState } from "../../model/run.ts";
import { parseDuration } from "../../std/duration.ts";
import type { RunQuery, Store } from "../../storage/store.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { listRunPages } from "../selection/run-selection.ts";
import { toIso } from "../views/time-view.ts";
import type { OperationAction, OperationFilter } from "./operation-record.ts";

/** States that an action takes, and why it leaves the others. */
const TERMS: Readonly<
  Record<OperationAction, { readonly takes: readonly RunState[]; readonly why: string }>
> = {
  cancel: { takes: ["queued", "running", "waiting"], why: "has ended" },
  resume: {
    takes: ["failed", "cancelled", "waiting"],
    why: "only failed, cancelled and interrupted runs are resumed",
  },
  requeue: { takes: ["succeeded", "failed", "skipped", "cancelled"], why: "has not ended" },
  purge: {
    takes: ["succeeded", "failed", "skipped", "cancelled"],
    why: "has not ended: cancel it first",
  },
};

/** What an operation would touch. */
export interface OperationPreview {
  readonly matching: number;
  /** Newest first, at most five. */
  readonly examples: readonly {
    readonly run: string;
    readonly pipeline: string;
    readonly state: RunState;
  }[];
  /** What the filter finds besides, and why it is left. */
  readonly leftOut: readonly { readonly reason: string; readonly count: number }[];
}

const EXAMPLES_MAX = 5;

/** Counts what an operation would touch. OPTION_INVALID, RUN_NOT_FOUND. */
export async function previewOperation(
  store: Store,
  action: OperationAction,
  filter: OperationFilter,
): Promise<OperationPreview> {
  const examples: RunRecord[] = [];
  const left = new Map<string, number>();
  let matching = 0;
  for await (const page of findPages(store, filter)) {
    for (const run of page) {
      const why = whyLeft(action, run);
      if (why !== undefined) left.set(why, (left.get(why) ?? 0) + 1);
      else matching += 1;
      if (why === undefined && examples.length < EXAMPLES_MAX) examples.push(run);
    }
  }
  return {
    matching,
    examples: examples.map((run) => ({
      run: runName(run),
      pipeline: run.pipeline,
      state: run.state,
    })),
    leftOut: [...left].map(([reason, count]) => ({ reason, count })),
  };
}

/** Pages of what an operation touches, newest first. */
export async function* listTouched(
  store: Store,
  action: OperationAction,
  filter: OperationFilter,
): AsyncGenerator<readonly RunRecord[]> {
  for await (const page of findPages(store, filter)) {
    const runs = page.filter((run) => whyLeft(action, run) === undefined);
    if (runs.length > 0) yield runs;
  }
}

/** The filter with its time fixed, so that it stays the same however long it is worked on. OPTION_INVALID. */
export function fixFilter(filter: OperationFilter, nowMs: number): OperationFilter {
  const { since } = filter;
  return since === undefined ? filter : { ...filter, since: toIso(toSinceMs(since, nowMs)) };
}

/** A moment from ISO 8601, without a zone UTC, or from a duration back from now. OPTION_INVALID. */
export function toSinceMs(since: string, nowMs: number): number {
  const back = parseDuration(since);
  if (back.ok) return nowMs - back.value;
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(since);
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(since);
  const atMs = Date.parse(hasZone || isDay ? since : `${since}Z`);
  if (/^\d{4}-\d{2}-\d{2}/.test(since) && Number.isFinite(atMs)) return atMs;
  throw new MillraceError(
    "OPTION_INVALID",
    `since: expected a duration such as 2h, or an ISO time; got "${since}".`,
  );
}

function whyLeft(action: OperationAction, run: RunRecord): string | undefined {
  const { takes, why } = TERMS[action];
  if (!takes.includes(run.state)) return `${run.state}: ${why}`;
  // A run that waits for a time or a resource goes on by itself.
  const goesOn = action === "resume" && run.state === "waiting" && run.reason !== "interrupted";
  return goesOn ? "waiting: it goes on by itself" : undefined;
}

async function* findPages(
  store: Store,
  filter: OperationFilter,
): AsyncGenerator<readonly RunRecord[]> {
  const query = await toQuery(store, filter);
  const pages =
    filter.batch === undefined ? listRunPages(store, query) : listBatchPages(store, filter.batch);
  let looked = 0;
  for await (const page of pages) {
    looked += page.length;
    if (looked > OPERATION_RUNS_MAX) throw tooMany();
    const runs = page.filter((run) => matches(run, filter, query));
    if (runs.length > 0) yield runs;
  }
}

function tooMany(): MillraceError {
  return new MillraceError(
    "OPTION_INVALID",
    `The filter finds more than ${OPERATION_RUNS_MAX} runs: narrow it.`,
  );
}

async function* listBatchPages(store: Store, batch: string): AsyncGenerator<readonly RunRecord[]> {
  if ((await store.findBatch(batch)) === undefined)
    throw new MillraceError("RUN_NOT_FOUND", `There is no batch "${batch}" in this store.`);
  for (let afterNumber = 0; ;) {
    const page = await store.listBatchRuns({ batch, limit: PAGE_ROWS_MAX, afterNumber });
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS_MAX) return;
    afterNumber = page.at(-1)?.number ?? 0;
  }
}

type Query = Omit<RunQuery, "limit" | "beforeNumber">;

async function toQuery(store: Store, filter: OperationFilter): Promise<Query> {
  const { state, pipeline, since, tag, parent } = filter;
  const cut = tag?.indexOf("=") ?? -1;
  return {
    states: state ?? RUN_STATES,
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(since === undefined ? {} : { sinceMs: toSinceMs(since, store.nowMs()) }),
    ...(tag === undefined ? {} : { tag: [tag.slice(0, cut), tag.slice(cut + 1)] as const }),
    ...(parent === undefined ? {} : { parent: (await findRun(store, parent)).id }),
  };
}

/** The store has answered most of it, but of a batch nothing. */
function matches(run: RunRecord, { batch, fingerprint }: OperationFilter, query: Query): boolean {
  if (fingerprint !== undefined && run.failure?.fingerprint.startsWith(fingerprint) !== true)
    return false;
  if (batch === undefined) return true;
  const { states, pipeline, sinceMs, tag, parent } = query;
  return (
    (states === undefined || states.includes(run.state)) &&
    (pipeline === undefined || run.pipeline === pipeline) &&
    (sinceMs === undefined || run.queuedAtMs >= sinceMs) &&
    (tag === undefined || run.tags[tag[0]] === tag[1]) &&
    (parent === undefined || run.parent === parent)
  );
}
