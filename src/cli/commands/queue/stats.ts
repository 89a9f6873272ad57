// `millrace queue stats`: where the runs of the store stand.

import { readQueueStats, type QueueStats } from "../../../service/queries/queue-stats.ts";
import { RUN_STATES } from "../../../model/run.ts";
import { renderQueueTable } from "../../answers/queue-table.ts";
import type { CliContext } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { lookOf } from "../../render/look.ts";
import { withStoreIfAny } from "../../with-store.ts";

/** Counts runs. */
export async function run(context: CliContext): Promise<number> {
  const stats = (await withStoreIfAny(context, readQueueStats)) ?? EMPTY;
  const { pipelines, waitsFor, total } = stats;
  if (context.flags.json) {
    const counts = {
      total,
      ...Object.fromEntries(RUN_STATES.map((state) => [state, stats[state]])),
    };
    const waiting = waitsFor;
    printDocument(context, { schema: "millrace.queue-stats/1", pipelines, waiting, counts });
  } else printAnswer(context, renderQueueTable(stats, lookOf(context, context.stdout)));
  return EXIT.ok;
}

const EMPTY: QueueStats = {
  total: 0,
  queued: 0,
  running: 0,
  waiting: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
  pipelines: [],
  waitsFor: [],
};
