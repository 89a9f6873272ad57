// Why a run is still in its queue: its pipeline is full, others are claimed before it, nobody works there; and why
// one is not in it yet.

import type { Blocker } from "../../model/blocker.ts";
import { QUEUE_AHEAD_MAX } from "../../model/limits.ts";
import { formatDuration } from "../../std/duration.ts";
import type { QueuePosition } from "../queries/queue/queue-position.ts";
import type { RunFacts } from "../queries/run-facts.ts";
import { findRunBlocker } from "../views/run-view.ts";
import { toIso } from "../views/time-view.ts";
import type { Answer } from "./answer.ts";
import { sayCount, saySince } from "./words.ts";

/** An idle worker looks once a second: a run that has been due for less may still be taken by one. */
const UNSEEN_MS_MAX = 2_000;

/** What is known of a queued run besides its facts. */
export interface QueuedFacts {
  readonly facts: RunFacts;
  /** What holds the places of its pipeline; undefined: it has one. */
  readonly full: Blocker | undefined;
  readonly position: QueuePosition;
}

/** Explains a queued run. */
export function tellQueued(queued: QueuedFacts): Omit<Answer, "state"> {
  const { facts, full } = queued;
  const { run, name, nowMs } = facts;
  const blockers = [full ?? findWorkerBlocker(queued), findAheadBlocker(queued)].filter(
    (blocker) => blocker !== undefined,
  );
  const why = blockers.map(({ text }) => text).join("; ");
  const delayed = run.dueAtMs > run.queuedAtMs ? [`enqueued at ${toIso(run.queuedAtMs)}`] : [];
  return {
    summary: `${name} is queued, due ${saySince(run.dueAtMs, nowMs)}: ${why === "" ? sayNext(queued) : why}.`,
    blockers,
    notes: [...delayed, WORK_HERE],
  };
}

/** Explains a run that goes to its queue by itself, at its time. */
export function tellDue(facts: RunFacts): Omit<Answer, "state"> {
  const { run, name, nowMs } = facts;
  const blocker = findRunBlocker(facts);
  const leftMs = Math.max(0, (run.wakeAtMs ?? nowMs) - nowMs);
  const when = leftMs === 0 ? "now" : `in ${formatDuration(leftMs)}`;
  return {
    summary: `${name} is waiting ${saySince(run.updatedAtMs, nowMs)}: it is ${blocker?.text ?? "due"} (${when}).`,
    blockers: blocker === undefined ? [] : [blocker],
    notes: [`whoever works its queue then takes it: ${WORK_COMMAND}`],
  };
}

/** What works the queues; the command line adds the file that the run's pipeline came from. */
export const WORK_COMMAND = "npx millrace queue run --drain";

const WORK_HERE = `works its queue here: ${WORK_COMMAND}`;

function findWorkerBlocker({ facts, position }: QueuedFacts): Blocker | undefined {
  const { run, nowMs } = facts;
  const { pipeline } = run;
  const { workers, workersHere } = position;
  if (workersHere > 0 || (workers === 0 && nowMs - run.dueAtMs < UNSEEN_MS_MAX)) return undefined;
  const text =
    workers === 0
      ? "no worker is at work on this store"
      : `${sayWorkers(workers)} alive, and none has a run of pipeline "${pipeline}"`;
  return { kind: "no-worker", name: pipeline, sinceMs: run.dueAtMs, basis: "unknown", text };
}

function findAheadBlocker({ facts, position }: QueuedFacts): Blocker | undefined {
  const { pipeline, dueAtMs } = facts.run;
  const { ahead } = position;
  if (ahead === 0) return undefined;
  const isMore = ahead >= QUEUE_AHEAD_MAX;
  const count = `${isMore ? "at least " : ""}${ahead.toLocaleString("en-US")}`;
  return {
    kind: "position",
    name: pipeline,
    sinceMs: dueAtMs,
    ahead,
    basis: "unknown",
    text: `${count} ${ahead === 1 ? "run" : "runs"} of pipeline "${pipeline}" ${ahead === 1 ? "is" : "are"} ahead of it${sayAtWork(position)}`,
  };
}

function sayAtWork({ workersHere }: QueuePosition): string {
  return workersHere === 0 ? "" : `, and ${sayWorkers(workersHere)} at work there`;
}

/** It is the next one, its pipeline has a place, and there may be somebody. */
function sayNext({ position: { workersHere } }: QueuedFacts): string {
  if (workersHere === 0) return "it is the next one, and no process has taken it yet";
  return `it is the next one, and ${sayWorkers(workersHere)} at work there`;
}

function sayWorkers(count: number): string {
  return `${sayCount(count, "worker")} ${count === 1 ? "is" : "are"}`;
}
