// The refusal of a queue that is full: what was taken in before it, and what was not.

import type { PipelineDefinition } from "../../model/definition.ts";
import { MillraceError } from "../../model/errors.ts";

/** How far an enqueueing has come. */
export interface QueueFullCounts {
  readonly created: number;
  readonly duplicates: number;
  /** Neither queued nor known. */
  readonly refused: number;
  /** Of a file: lines that were read, and those of them that were bad. */
  readonly lines?: number;
  readonly badLines?: number;
}

/** QUEUE_FULL: as many runs are queued or waiting as `maxQueued` allows. What was created stays. */
export function queueFull(
  { name: pipeline, maxQueued }: PipelineDefinition,
  counts: QueueFullCounts,
): MillraceError {
  const most = show(maxQueued ?? 0);
  return new MillraceError(
    "QUEUE_FULL",
    `The queue of pipeline "${pipeline}" is full: at most ${most} of its runs may be queued or waiting. ${sayCounts(counts)}.`,
    {
      hint: "let it be worked on, then do the same again: what has a key is queued once",
      next: "npx millrace queue stats",
      retryable: true,
      details: { pipeline, maxQueued, ...counts },
    },
  );
}

function sayCounts({ created, duplicates, refused, lines, badLines = 0 }: QueueFullCounts): string {
  const parts = [
    `${show(created)} new`,
    ...(duplicates === 0 ? [] : [`${show(duplicates)} known`]),
    ...(badLines === 0 ? [] : [`${show(badLines)} bad`]),
    `${show(refused)} refused`,
  ].join(", ");
  return lines === undefined ? parts : `Of ${show(lines)} lines read: ${parts}`;
}

function show(count: number): string {
  return count.toLocaleString("en-US");
}
