// The queue: how it stands, what was imported together, and an import of lines.

import { HTTP_IMPORT_BYTES_MAX } from "../../model/limits.ts";
import { contextOf, getDefinition } from "../../service/mill-context.ts";
import { importRuns } from "../../service/queue-import/import-runs.ts";
import { listQueued } from "../../service/queries/queue/list-queued.ts";
import { readQueueStats, type QueueStats } from "../../service/queries/queue/queue-stats.ts";
import { showBatch } from "../../service/queries/queue/show-batch.ts";
import { countPeriod } from "../../service/report/count-period.ts";
import { toSinceMs } from "../../service/operations/select-runs.ts";
import { toIso } from "../../service/views/time-view.ts";
import {
  batchAnswer,
  importAnswer,
  importQuery,
  pageQuery,
  queueAnswer,
  queueQuery,
  statsAnswer,
  statsQuery,
} from "../contract/queue.ts";
import { idParams } from "../contract/reading.ts";
import type { RunCounts } from "../contract/run.ts";
import { defineRoute, type Route } from "../route.ts";

const queue = defineRoute({
  method: "GET",
  path: "/api/v1/queue",
  access: "read",
  tag: "queue",
  summary:
    "shows the queues: counts, what is waited for, queued runs with how many are before them",
  query: queueQuery,
  result: queueAnswer,
  etag: true,
  handle: async ({ query, http }) => {
    const found = narrow(await readQueueStats(http.mill.store), query.pipeline);
    const page = await listQueued(http.mill.store, query);
    return { json: { schema: "millrace.queue/1" as const, ...found, ...page } };
  },
});

const stats = defineRoute({
  method: "GET",
  path: "/api/v1/stats",
  access: "read",
  tag: "queue",
  summary: "counts runs now, and what was executed, succeeded and failed over a time",
  query: statsQuery,
  result: statsAnswer,
  etag: true,
  handle: async ({ query: { since, pipeline }, http: { mill } }) => {
    const sinceMs = since === undefined ? undefined : toSinceMs(since, mill.store.nowMs());
    const of = {
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    };
    const found = narrow(await readQueueStats(mill.store), pipeline);
    const { executed, succeeded, failed, successRate, isCut } = await countPeriod(mill.store, of);
    return {
      json: {
        schema: "millrace.stats/1" as const,
        ...(sinceMs === undefined ? {} : { since: toIso(sinceMs) }),
        ...(pipeline === undefined ? {} : { pipeline }),
        ...found,
        executed,
        succeeded,
        failed,
        successRate,
        complete: !isCut,
      },
    };
  },
});

interface Narrowed {
  readonly counts: RunCounts;
  readonly pipelines: QueueStats["pipelines"];
  readonly waiting: QueueStats["waitsFor"];
}

/** What is known of one pipeline; undefined: of all. What is waited for is known of all only. */
function narrow(stats: QueueStats, wanted: string | undefined): Narrowed {
  const { pipelines, waitsFor: waiting, ...counts } = stats;
  if (wanted === undefined) return { counts, pipelines, waiting };
  const own = pipelines.filter(({ pipeline }) => pipeline === wanted);
  return { counts: own[0]?.counts ?? NO_COUNTS, pipelines: own, waiting };
}

const NO_COUNTS: RunCounts = {
  total: 0,
  queued: 0,
  running: 0,
  waiting: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
};

const importLines = defineRoute({
  method: "POST",
  path: "/api/v1/queue/import",
  access: "operate",
  tag: "queue",
  summary: "queues a run per line of JSON Lines, each key once; a bad line spares the others",
  query: importQuery,
  bodyType: "application/jsonl",
  bodyBytesMax: HTTP_IMPORT_BYTES_MAX,
  idempotent: false,
  result: importAnswer,
  handle: async ({ query: { pipeline, ...options }, http, context, actor }) => {
    const mill = contextOf(http.mill);
    const outcome = await importRuns(mill, {
      definition: getDefinition(mill, pipeline),
      bytes: readPieces(context.req.raw.body),
      options: { ...options, source: `http:${actor}` },
    });
    return { json: { schema: "millrace.queue-import/1" as const, ...outcome } };
  },
});

const batch = defineRoute({
  method: "GET",
  path: "/api/v1/batches/{id}",
  access: "read",
  tag: "queue",
  summary: "shows a batch: its counts, and its runs in the order they were queued",
  params: idParams,
  query: pageQuery,
  result: batchAnswer,
  etag: true,
  handle: async ({ params, query, http }) => ({
    json: {
      schema: "millrace.batch/1" as const,
      ...(await showBatch(http.mill.store, params.id, query)),
    },
  }),
});

/** Routes of the queue. */
export const QUEUE_ROUTES: readonly Route[] = [queue, stats, importLines, batch];

async function* readPieces(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body !== null) yield* body;
}
