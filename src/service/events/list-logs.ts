// What the stages of a run have logged: lines after a number, or the last ones. Text is searched literally. A page is
// read from a bounded number of stored lines, so that a search that finds nothing ends too, and says how far it came.

import type { MillraceEvent } from "../../model/event.ts";
import { LOG_LINES_LOOKED_AT_MAX, RECENT_EVENTS_MAX } from "../../model/limits.ts";
import type { EventQuery, Store } from "../../storage/store.ts";
import { toIso } from "../views/time-view.ts";
import { findRun, runName } from "../queries/find-run.ts";
import { checkPageLimit } from "../queries/page-limit.ts";

/** Levels of a line, the least first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** Level of a line. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Which lines. */
export interface LogQuery {
  /** Any name of the run. */
  readonly run: string;
  readonly stage?: string;
  /** Key. */
  readonly item?: string;
  readonly attempt?: number;
  readonly levels?: readonly string[];
  /** Literal text that the line contains. */
  readonly grep?: string;
  /** Only after this number of an event. Default 0. */
  readonly after?: number;
  /** The last lines instead, so many, in their order. */
  readonly tail?: number;
  /** 1 to 500. Default 20. */
  readonly limit?: number;
}

/** One line. */
export interface LogLineView {
  readonly seq: number;
  readonly at: string;
  /** Short name. */
  readonly run: string;
  readonly stage: string;
  readonly item?: string;
  readonly attempt: number;
  readonly level: LogLevel;
  readonly text: string;
}

/** A page of lines. */
export interface LogPage {
  readonly lines: readonly LogLineView[];
  /** Where the next page goes on; absent: there is nothing more now. */
  readonly next?: number;
}

/** Lists log lines. RUN_NOT_FOUND, OPTION_INVALID. */
export async function listLogs(store: Store, query: LogQuery): Promise<LogPage> {
  const run = await findRun(store, query.run);
  const limit = checkPageLimit(query.tail ?? query.limit);
  const name = runName(run);
  const newestFirst = query.tail !== undefined;
  const lines: LogLineView[] = [];
  let looked = 0;
  let place = newestFirst ? undefined : (query.after ?? 0);
  for (;;) {
    const page = await store.listEvents(toQuery(run.id, newestFirst, place));
    for (const event of page) {
      place = event.seq;
      const line = toLogLine(event, name);
      if (line !== undefined && isLogLineOf(line, query)) lines.push(line);
      if (lines.length === limit) break;
    }
    looked += page.length;
    if (lines.length === limit || page.length < RECENT_EVENTS_MAX) break;
    if (looked >= LOG_LINES_LOOKED_AT_MAX) return finish(lines, { newestFirst, next: place });
  }
  return finish(lines, { newestFirst, next: lines.length === limit ? place : undefined });
}

function toQuery(runId: string, newestFirst: boolean, place: number | undefined): EventQuery {
  const types = ["stage.logged"];
  const rest = { runId, types, limit: RECENT_EVENTS_MAX };
  if (!newestFirst) return { ...rest, after: place ?? 0 };
  return { ...rest, after: 0, newestFirst, ...(place === undefined ? {} : { before: place }) };
}

function finish(
  lines: readonly LogLineView[],
  { newestFirst, next }: { readonly newestFirst: boolean; readonly next: number | undefined },
): LogPage {
  // Of the last lines nothing comes after the page but what is logged from now on.
  if (newestFirst) return { lines: lines.toReversed() };
  return next === undefined ? { lines } : { lines, next };
}

/** The line that an event tells; undefined: it tells none. */
export function toLogLine(event: MillraceEvent, run: string): LogLineView | undefined {
  const { seq, atMs, stage, item, attempt, data } = event;
  const message = data?.["message"];
  const level = LOG_LEVELS.find((known) => known === data?.["level"]);
  if (stage === undefined || typeof message !== "string" || level === undefined) return undefined;
  return {
    seq,
    at: toIso(atMs),
    run,
    stage,
    ...(item === undefined ? {} : { item }),
    attempt: attempt ?? 1,
    level,
    text: message,
  };
}

/** Whether a line is one of those that are asked for. */
export function isLogLineOf(line: LogLineView, query: Omit<LogQuery, "run">): boolean {
  const { stage, item, attempt, levels, grep } = query;
  if (stage !== undefined && line.stage !== stage) return false;
  if (item !== undefined && line.item !== item) return false;
  if (attempt !== undefined && line.attempt !== attempt) return false;
  if (levels !== undefined && !levels.includes(line.level)) return false;
  return grep === undefined || line.text.includes(grep);
}
