// `millrace queue requeue`: queues a rerun of runs that have ended, each as a new run linked to the old.

import { isMillraceError } from "../../../model/errors.ts";
import { PAGE_ROWS_MAX } from "../../../model/limits.ts";
import type { RunRecord } from "../../../model/run.ts";
import type { SelectionOutcome, SkippedRun } from "../../../service/selection/run-selection.ts";
import { findRun, runName } from "../../../service/queries/find-run.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { confirm } from "../../confirm.ts";
import { EXIT } from "../../exit-code.ts";
import { withDocument } from "../../foreground/with-document.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer } from "../../print.ts";
import { showCountOf } from "../../../std/shown/figures.ts";
import { withStore } from "../../with-store.ts";
import { NO_RUNS, saySelection, toSelectionDocument } from "./report-selection.ts";
import { loadPipelinesOf, withMill } from "./with-mill.ts";

const WORDS = { done: "queued", deed: "queue", kind: "", dryRun: false };

/** Queues runs again. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const batch = reader.text("batch");
  const override = reader.has("override");
  if ((batch === undefined) === (args.length === 0))
    reader.fault("batch", "expected runs, or one batch, and not both");
  reader.finish("npx millrace queue requeue --help");
  // A store that does not exist is not made for this.
  await withStore(context, async () => undefined);
  return withDocument(context, async (keep) => {
    const outcome =
      batch === undefined
        ? await requeueNamed(context, args, override)
        : await requeueBatch(context, { batch, override }, reader.has("yes"));
    saySelection(context, outcome, WORDS);
    keep(toSelectionDocument("millrace.queue-requeue/1", outcome));
    return EXIT.ok;
  });
}

async function requeueNamed(
  context: CliContext,
  references: readonly string[],
  override: boolean,
): Promise<SelectionOutcome> {
  const old: RunRecord[] = [];
  const parts = await loadPipelinesOf(context, async (store) => {
    for (const reference of references) old.push(await findRun(store, reference));
    return old;
  });
  const skipped: SkippedRun[] = [];
  if (parts === undefined) return { matching: 0, changed: 0, skipped };
  await withMill(context, parts, async (mill) => {
    for (const run of old) {
      const reason = await requeueOne(context, run, (id) => mill.requeue(id, { override }));
      if (reason !== undefined) skipped.push({ run: runName(run), reason });
    }
  });
  return { matching: old.length, changed: old.length - skipped.length, skipped };
}

/** Why the run was left as it was; undefined: it is queued. */
async function requeueOne(
  context: CliContext,
  old: RunRecord,
  requeue: (id: string) => Promise<RunRecord>,
): Promise<string | undefined> {
  try {
    const run = await requeue(old.id);
    const text = `queued ${runName(run)} (a rerun of ${runName(old)})`;
    if (!context.flags.json) printAnswer(context, text);
    return undefined;
  } catch (error) {
    const isOwn = isMillraceError(error) && !error.code.startsWith("STORE_");
    // Not the run, but its pipeline: that is no reason to leave it and go on.
    if (isOwn && error.code !== "HEALTH_REFUSED") return error.message;
    throw error;
  }
}

async function requeueBatch(
  context: CliContext,
  { batch, override }: { readonly batch: string; readonly override: boolean },
  yes: boolean,
): Promise<SelectionOutcome> {
  const parts = await loadPipelinesOf(context, (store) =>
    store.listBatchRuns({ batch, limit: PAGE_ROWS_MAX }),
  );
  if (parts === undefined) return NO_RUNS;
  return withMill(context, parts, async (mill) => {
    const found = await mill.requeue({ batch, dryRun: true });
    if (found.matching === 0) return found;
    const agreed = await confirm(context, {
      deed: `queue ${showCountOf(found.matching, "run")}`,
      yes,
      dryRun: nextCommand(context, ["queue", "stats"]),
    });
    return agreed ? await mill.requeue({ batch, override }) : found;
  });
}
