// Tells what a program outside did. A report is checked whole, every fault at once, before anything of it is used; its
// run is looked up by an id of the right grammar or not at all. With a key it is told once, however often and by
// however many processes it is reported: the record that remembers the key and the event are one transaction.

import { REPORT_KEPT_MS_DEFAULT } from "../../model/defaults.ts";
import { MillraceError } from "../../model/errors.ts";
import type { EventDraft } from "../../model/event.ts";
import { sha256Hex, type Json } from "../../std/json.ts";
import type { RecordPut } from "../../storage/records/record-write.ts";
import type { MillContext } from "../mill-context.ts";
import { findRun } from "../queries/find-run.ts";
import { toIso } from "../views/time-view.ts";
import { parseReport, type CheckedReport } from "./parse-report.ts";

/** Keys that are forgotten with one that comes. */
const FORGOTTEN_MAX = 10;

/** What a program outside reports. */
export interface EventReport {
  /** What happened, in past tense, as words with dots: `import.finished`. */
  readonly name: string;
  /** Who reports it: a program, a machine. 1 to 200 characters. */
  readonly source: string;
  /** When it happened: ISO 8601, a time without zone is UTC; from 1970 to a day from now. Default: now. */
  readonly at?: string;
  /** For people, at most 500 characters. */
  readonly message?: string;
  /** At most 16 KiB as JSON. */
  readonly data?: Readonly<Record<string, Json>>;
  /** The run it concerns: short name or id. Default: none. */
  readonly run?: string;
  /** Told once per key within a week, 1 to 255 visible characters. Default: told every time. */
  readonly key?: string;
}

/** What became of it. */
export interface RecordedEvent {
  /** False: the key was known, and nothing was told again. */
  readonly created: boolean;
  /** Number of the event in the store, where it was created; 0 where its type is live only. */
  readonly seq?: number;
}

/** Checks and tells it. EVENT_INVALID with every fault, RUN_NOT_FOUND. */
export async function recordEvent(mill: MillContext, report: unknown): Promise<RecordedEvent> {
  const checked = parseReport(report, mill.store.nowMs());
  const run = checked.run === null ? null : (await findRun(mill.store, checked.run)).id;
  const draft = toDraft(checked);
  const isLiveOnly = mill.events.settings.liveOnly.has(draft.type);
  const told = { run, events: isLiveOnly ? [] : [draft] };
  const recorded =
    checked.key === null ? await tell(mill, told) : await tellOnce(mill, told, checked.key);
  if (isLiveOnly && recorded.created) tellLive(mill, draft, run);
  return isLiveOnly && recorded.created ? { created: true, seq: 0 } : recorded;
}

interface Told {
  readonly run: string | null;
  readonly events: readonly EventDraft[];
}

async function tell(mill: MillContext, { run, events }: Told): Promise<RecordedEvent> {
  const write = { kind: "tell-outside", runId: run, events } as const;
  const result = await mill.committer.write(write);
  if (result.kind !== "done") throw runGone(run);
  return { created: true, seq: result.numbers.firstSeq };
}

async function tellOnce(mill: MillContext, told: Told, key: string): Promise<RecordedEvent> {
  // A key may be as long as its sender likes to make it, and says nothing in the order of a list.
  const address = { collection: "reports", key: `event/${sha256Hex(key)}` } as const;
  for (;;) {
    const known = await mill.store.findRecord(address.collection, address.key);
    const nowMs = mill.store.nowMs();
    const isKept = known !== undefined && (known.dueAtMs ?? Infinity) > nowMs;
    if (isKept) return { created: false };
    const put: RecordPut = {
      ...address,
      expected: known?.revision ?? 0,
      value: { reportedAtMs: nowMs },
      dueAtMs: nowMs + REPORT_KEPT_MS_DEFAULT,
    };
    const { run, events } = told;
    const result = await mill.committer.write({
      kind: "put-records",
      puts: [put, ...(await listForgotten(mill, put.key))],
      events,
      ...(run === null ? {} : { eventsOf: run }),
    });
    if (result.kind === "recorded") return { created: true, seq: result.numbers.firstSeq };
    if (result.kind !== "record-conflict") throw runGone(run);
    // Another process was first: the next look finds its record.
  }
}

/** Keys whose time is over go with the ones that come, so that there are never many more than a week brings. */
async function listForgotten(mill: MillContext, besides: string): Promise<readonly RecordPut[]> {
  const collection = "reports" as const;
  const untilMs = mill.store.nowMs();
  const due = await mill.store.listDueRecords({ collection, untilMs, limit: FORGOTTEN_MAX });
  return due
    .filter(({ key }) => key !== besides)
    .map(({ key, revision }) => ({ collection, key, expected: revision, value: undefined }));
}

function tellLive(mill: MillContext, draft: EventDraft, run: string | null): void {
  const atMs = mill.store.nowMs();
  mill.events.live.emit({ ...draft, seq: 0, runSeq: 0, atMs, run: run ?? "" });
}

function toDraft({ name, source, atMs, message, data }: CheckedReport): EventDraft {
  return {
    type: "external.reported",
    data: {
      name,
      source,
      at: toIso(atMs),
      ...(message === null ? {} : { message }),
      ...(data === null ? {} : { data }),
    },
  };
}

function runGone(run: string | null): MillraceError {
  return new MillraceError("RUN_NOT_FOUND", `Run "${run ?? ""}" is gone: nothing was told of it.`, {
    hint: "it was deleted meanwhile",
    next: "npx millrace runs",
  });
}
