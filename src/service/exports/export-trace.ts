// What a run spent its time on, as rows: one for each attempt and one for each wait of every stage and item, in
// the order of the pipeline. Made as it is read, a page of items at a time.

import type { Store } from "../../storage/store.ts";
import { findRun } from "../queries/find-run.ts";
import { readRunFacts } from "../queries/run-facts.ts";
import { listTrailAttempts, listTrailWaits, type TrailSource } from "./attempt-trail.ts";
import { type CsvField, toCsvLine } from "./csv.ts";
import { iterateRows } from "./export-checkpoint.ts";

/** Forms of a trace. */
export const TRACE_FORMATS = ["csv", "jsonl"] as const;

/** Form of a trace. */
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** One attempt or wait. Null: does not apply, or is not known. */
export interface TraceRow {
  /** Short name of the run. */
  readonly run: string;
  readonly stage: string;
  /** Null: the stage itself. */
  readonly item: string | null;
  readonly kind: "attempt" | "wait";
  /** From 1; of a wait the attempt before it. */
  readonly attempt: number | null;
  /** Of an attempt: how it ended, or that it has not. */
  readonly state: string | null;
  /** Of an attempt that failed. */
  readonly class: string | null;
  readonly message: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Whole ms. Of a wait without times: the sum of all of its cause. */
  readonly durationMs: number | null;
  /** Of a wait: a kind of blocker. */
  readonly cause: string | null;
}

const COLUMNS = [
  "run",
  "stage",
  "item",
  "kind",
  "attempt",
  "state",
  "class",
  "message",
  "startedAt",
  "endedAt",
  "durationMs",
  "cause",
] as const satisfies readonly (keyof TraceRow)[];

/** The trace as text, row by row, and how many rows there were. RUN_NOT_FOUND before the first piece. */
export async function* exportTrace(
  store: Store,
  reference: string,
  format: TraceFormat,
): AsyncGenerator<string, number> {
  const rows = iterateTrace(store, reference);
  let count = 0;
  let next = await rows.next();
  if (format === "csv") yield toCsvLine(COLUMNS);
  for (; next.done !== true; next = await rows.next()) {
    const row = next.value;
    count += 1;
    yield format === "csv"
      ? toCsvLine(COLUMNS.map((column): CsvField => row[column]))
      : `${JSON.stringify(row)}\n`;
  }
  return count;
}

async function* iterateTrace(store: Store, reference: string): AsyncGenerator<TraceRow> {
  const { run, name, stages, records } = await readRunFacts(store, await findRun(store, reference));
  for (const { name: stage } of stages) {
    const record = records.get(stage);
    // The row of a map sums up those of its items.
    if (record !== undefined && record.itemCount === null) {
      const history = await store.listRetries(run.id, stage, null);
      yield* listRows({ run: name, stage, item: null }, record, history);
    }
    for await (const item of iterateRows(store, run.id, stage)) {
      const history = await store.listRetries(run.id, stage, item.key);
      yield* listRows({ run: name, stage, item: item.key }, item, history);
    }
  }
}

type Subject = Pick<TraceRow, "run" | "stage" | "item">;

/** The rows of one stage or item, each wait after the attempt it came after. */
function listRows(
  subject: Subject,
  source: TrailSource,
  history: Parameters<typeof listTrailWaits>[1],
): readonly TraceRow[] {
  const waits = listTrailWaits(source, history).map((wait): TraceRow => ({
    ...subject,
    ...NOTHING,
    kind: "wait",
    attempt: wait.attempt ?? null,
    startedAt: wait.startedAt ?? null,
    endedAt: wait.endedAt ?? null,
    durationMs: wait.durationMs,
    cause: wait.cause,
  }));
  const attempts = listTrailAttempts(source, history).map((attempt): TraceRow => ({
    ...subject,
    ...NOTHING,
    attempt: attempt.n,
    state: attempt.state,
    class: attempt.class ?? null,
    message: attempt.message ?? null,
    startedAt: attempt.startedAt ?? null,
    endedAt: attempt.endedAt ?? null,
    durationMs: lengthOf(attempt.startedAt, attempt.endedAt),
  }));
  return [...attempts, ...waits].toSorted(byTime);
}

const NOTHING: Omit<TraceRow, keyof Subject> = {
  kind: "attempt",
  attempt: null,
  state: null,
  class: null,
  message: null,
  startedAt: null,
  endedAt: null,
  durationMs: null,
  cause: null,
};

function lengthOf(startedAt: string | undefined, endedAt: string | undefined): number | null {
  if (startedAt === undefined || endedAt === undefined) return null;
  return Math.max(0, Date.parse(endedAt) - Date.parse(startedAt));
}

/** By their ends; what has none comes last, and equal ones stay in the order they have. */
function byTime(left: TraceRow, right: TraceRow): number {
  const [a, b] = [left, right].map((row) => row.endedAt ?? "~");
  return a === b || a === undefined || b === undefined ? 0 : a < b ? -1 : 1;
}
