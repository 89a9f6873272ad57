// `millrace queue stats`: where the runs of the store stand; with `--resources` also what they share.

import { PAGE_ROWS_MAX } from "../../../model/limits.ts";
import { RUN_STATES } from "../../../model/run.ts";
import { listResources, type ResourcePage } from "../../../service/resources/list-resources.ts";
import { readQueueStats, type QueueStats } from "../../../service/queries/queue/queue-stats.ts";
import { renderQueueTable } from "../../answers/queue-table.ts";
import { renderResourceTable } from "../../answers/resource-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { declareConfigured } from "../../load/declare-configured.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer, printDocument, printRemark } from "../../print.ts";
import { lookOf } from "../../render/look.ts";
import { withStoreIfAny } from "../../with-store.ts";

/** Counts runs. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const found = await withStoreIfAny(context, async (store, settings) => {
    const read = async (): Promise<ResourcePage> =>
      listResources({ store, resources: declareConfigured(settings) }, { limit: PAGE_ROWS_MAX });
    const stats = await readQueueStats(store);
    const page = options["resources"] === true ? await read() : undefined;
    return { stats, page, nowMs: store.nowMs() };
  });
  const { stats, page, nowMs } = found ?? { stats: EMPTY, page: undefined, nowMs: 0 };
  if (context.flags.json) printDocument(context, toDocument(stats, page));
  else {
    printAnswer(context, renderQueueTable(stats, lookOf(context, context.stdout)));
    if (page !== undefined) printResources(context, page, nowMs);
  }
  return EXIT.ok;
}

function toDocument(stats: QueueStats, page: ResourcePage | undefined): object {
  const { pipelines, waitsFor, total } = stats;
  const counts = { total, ...Object.fromEntries(RUN_STATES.map((state) => [state, stats[state]])) };
  const resources = page === undefined ? {} : { resources: page.resources };
  return { schema: "millrace.queue-stats/1", pipelines, waiting: waitsFor, counts, ...resources };
}

function printResources(context: CliContext, page: ResourcePage, nowMs: number): void {
  const { resources, nextCursor } = page;
  if (resources.length === 0) {
    printRemark(context, "no resources: nothing declares or uses one");
    return;
  }
  const look = lookOf(context, context.stdout);
  printAnswer(context, `\n${renderResourceTable(resources, { look, nowMs })}`);
  if (nextCursor === undefined) return;
  const more = nextCommand(context, ["resources", "list", "--cursor", nextCursor]);
  printRemark(context, `more: ${more}`);
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
