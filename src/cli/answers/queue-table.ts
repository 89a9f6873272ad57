// The listing of queues: a line for each pipeline, what runs wait for, and the sum.

import { RUN_STATES } from "../../model/run.ts";
import type { PipelineStats, QueueStats } from "../../service/queries/queue/queue-stats.ts";
import { showCount } from "../../std/shown/figures.ts";
import { formatDuration } from "../../std/duration.ts";
import type { Look } from "../render/look.ts";
import { renderTable } from "../render/table.ts";

/** Lines without a line feed behind the last. */
export function renderQueueTable(stats: QueueStats, look: Look): string {
  const { pipelines, waitsFor, total } = stats;
  const counts = RUN_STATES.map((state) => `${showCount(stats[state])} ${state}`);
  const sum = `total ${showCount(total)}: ${counts.join(", ")}`;
  if (pipelines.length === 0) return sum;
  const waits = waitsFor.map(({ kind, name, count }) =>
    [kind, ...(name === kind ? [] : [name]), showCount(count)].join(" "),
  );
  return [
    renderPipelines(pipelines, look),
    ...(waits.length === 0 ? [] : [`waiting on: ${waits.join(" · ")}`]),
    sum,
  ].join("\n");
}

function renderPipelines(pipelines: readonly PipelineStats[], look: Look): string {
  const heads = [
    "QUEUED",
    "WAITING",
    "RUNNING",
    "SUCCEEDED",
    "FAILED",
    "OLDEST DUE",
    "OUT/MIN",
    "DRAIN",
  ];
  return renderTable(
    {
      columns: [{ head: "PIPELINE", flexible: true }, ...heads.map((head) => ({ head }))],
      rows: pipelines.map(({ pipeline, counts, oldestDueMs, perMinute, drainMs }) => [
        pipeline,
        showCount(counts.queued),
        showCount(counts.waiting),
        showCount(counts.running),
        showCount(counts.succeeded),
        showCount(counts.failed),
        oldestDueMs === null ? look.alphabet.none : formatDuration(oldestDueMs),
        showCount(perMinute),
        drainMs === undefined ? look.alphabet.none : formatDuration(drainMs),
      ]),
    },
    look,
  );
}
