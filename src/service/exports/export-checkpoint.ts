// A run in the JSON form of the older checkpoint files, as text that is written as it is made: one page of items
// at a time, so that a run of 100,000 needs no more memory than one of ten. A key that several map stages have is
// one paper. While the run goes on, each page is of its own moment.
//
//   { run_id, version, pipeline, status, created_at, last_updated,
//     stages: { name: { status, state, started_at, completed_at, duration, attempts, error, retry_history } },
//     papers: { key: Paper },
//     stats: { total, processed, successful, failed, skipped, in_progress, pending, retries } }

import type { ItemRecord, StageRecord } from "../../model/checkpoint.ts";
import {
  ERROR_HISTORY_CHARS_MAX,
  ERROR_LIST_CHARS_MAX,
  PAGE_ROWS_MAX,
} from "../../model/limits.ts";
import type { RunRecord, RunState } from "../../model/run.ts";
import { boundedText } from "../../std/json.ts";
import type { Store } from "../../storage/store.ts";
import { findRun } from "../queries/find-run.ts";
import { readRunFacts, type RunFacts } from "../queries/run-facts.ts";
import { toIso } from "../views/time-view.ts";
import {
  isoOf,
  type Paper,
  type PaperPart,
  type PaperStatus,
  toPaper,
  toPaperStatus,
  toSeconds,
} from "./paper.ts";

/** The version of the form. */
const CHECKPOINT_VERSION = "2.0.0";

/** Papers by how they stand. */
export interface CheckpointStats {
  /** Papers, and the items of the longest list that were not begun. */
  readonly total: number;
  /** Papers that have ended. */
  readonly processed: number;
  readonly successful: number;
  readonly failed: number;
  readonly skipped: number;
  readonly in_progress: number;
  readonly pending: number;
  readonly retries: number;
}

/** Makes the document piece by piece, and answers how many papers it holds. RUN_NOT_FOUND before the first piece. */
export async function* exportCheckpoint(
  store: Store,
  reference: string,
): AsyncGenerator<string, number> {
  const facts = await readRunFacts(store, await findRun(store, reference));
  yield `${openRecord(toHead(facts.run))},\n"stages":{`;
  yield* joinEntries(iterateStages(store, facts));
  yield `},\n"papers":{`;
  const tally = new Tally();
  yield* joinEntries(iteratePapers(store, facts, tally));
  yield `},\n"stats":${JSON.stringify(tally.toStats(longestList(facts)))}}\n`;
  return tally.total;
}

function toHead(run: RunRecord): object {
  return {
    run_id: run.id,
    version: CHECKPOINT_VERSION,
    pipeline: run.pipeline,
    status: RUN_STATUS[run.state],
    created_at: toIso(run.queuedAtMs),
    last_updated: toIso(run.updatedAtMs),
  };
}

const RUN_STATUS: Readonly<Record<RunState, PaperStatus>> = {
  queued: "pending",
  waiting: "pending",
  running: "in_progress",
  succeeded: "completed",
  failed: "failed",
  cancelled: "failed",
  skipped: "skipped",
};

/** A record without its closing brace. */
function openRecord(record: object): string {
  return JSON.stringify(record).slice(0, -1);
}

type Entry = readonly [key: string, value: object];

/** Entries as the inside of a record: one line each. */
async function* joinEntries(entries: AsyncIterable<Entry>): AsyncGenerator<string> {
  let comma = "";
  for await (const [key, value] of entries) {
    yield `${comma}\n${JSON.stringify(key)}:${JSON.stringify(value)}`;
    comma = ",";
  }
}

async function* iterateStages(store: Store, facts: RunFacts): AsyncGenerator<Entry> {
  for (const { name } of facts.stages) {
    const record = facts.records.get(name);
    if (record !== undefined) yield [name, await toStageEntry(store, facts.run.id, record)];
  }
}

async function toStageEntry(store: Store, runId: string, record: StageRecord): Promise<object> {
  const retries = await store.listRetries(runId, record.stage, null);
  return {
    status: toPaperStatus(record.state),
    state: record.state,
    started_at: isoOf(record.startedAtMs),
    completed_at: isoOf(record.endedAtMs),
    duration: record.durationMs === null ? null : toSeconds(record.durationMs),
    attempts: record.attempts,
    error: record.failure && boundedText(record.failure.message, ERROR_LIST_CHARS_MAX),
    ...(record.reason === null ? {} : { reason: record.reason }),
    retry_history: retries.map((retry) => ({
      attempt: retry.attempt,
      failed_at: toIso(retry.endedAtMs),
      error: boundedText(retry.message, ERROR_HISTORY_CHARS_MAX),
      next_delay: retry.delayMs === null ? null : toSeconds(retry.delayMs),
    })),
  };
}

async function* iteratePapers(store: Store, facts: RunFacts, tally: Tally): AsyncGenerator<Entry> {
  const maps = facts.stages
    .map(({ name }) => name)
    .filter((name) => Object.keys(facts.itemCounts.get(name) ?? {}).length > 0);
  for (const [place, stage] of maps.entries()) {
    for await (const item of iterateRows(store, facts.run.id, stage)) {
      const parts = await readParts(store, { runId: facts.run.id, maps, place, item });
      if (parts === null) continue;
      const paper = toPaper(parts);
      tally.add(paper);
      yield [item.key, paper];
    }
  }
}

/** Every item of a stage that has a row, in order, page by page. */
export async function* iterateRows(
  store: Pick<Store, "listItems">,
  runId: string,
  stage: string,
): AsyncGenerator<ItemRecord> {
  let after: { readonly afterIndex?: number; readonly afterKey?: string } = {};
  for (;;) {
    const page = await store.listItems({ runId, stage, limit: PAGE_ROWS_MAX, ...after });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS_MAX) return;
    after = { afterIndex: last.index, afterKey: last.key };
  }
}

/** The item in every map stage; null: a stage before this one has told of it. */
async function readParts(
  store: Store,
  at: {
    readonly runId: string;
    readonly maps: readonly string[];
    readonly place: number;
    readonly item: ItemRecord;
  },
): Promise<readonly [PaperPart, ...PaperPart[]] | null> {
  const { runId, maps, place, item } = at;
  for (const stage of maps.slice(0, place)) {
    if ((await store.findItem(runId, stage, item.key)) !== undefined) return null;
  }
  const parts: [PaperPart, ...PaperPart[]] = [await toPart(store, runId, item)];
  for (const stage of maps.slice(place + 1)) {
    const found = await store.findItem(runId, stage, item.key);
    if (found !== undefined) parts.push(await toPart(store, runId, found));
  }
  return parts;
}

async function toPart(store: Store, runId: string, item: ItemRecord): Promise<PaperPart> {
  return { item, retries: await store.listRetries(runId, item.stage, item.key) };
}

function longestList(facts: RunFacts): number {
  return Math.max(0, ...[...facts.records.values()].map(({ itemCount }) => itemCount ?? 0));
}

/** Counts papers while they are written. */
class Tally {
  total = 0;
  #retries = 0;
  readonly #counts = new Map<PaperStatus, number>();

  add(paper: Paper): void {
    this.total += 1;
    this.#retries += paper.retries;
    this.#counts.set(paper.status, this.#count(paper.status) + 1);
  }

  toStats(listed: number): CheckpointStats {
    const notBegun = Math.max(0, listed - this.total);
    const ended = ENDED.reduce((sum, status) => sum + this.#count(status), 0);
    return {
      total: this.total + notBegun,
      processed: ended,
      successful: this.#count("completed"),
      failed: this.#count("failed"),
      skipped: this.#count("skipped"),
      in_progress: this.#count("in_progress") + this.#count("retrying"),
      pending: this.#count("pending") + notBegun,
      retries: this.#retries,
    };
  }

  #count(status: PaperStatus): number {
    return this.#counts.get(status) ?? 0;
  }
}

const ENDED: readonly PaperStatus[] = ["completed", "failed", "skipped"];
