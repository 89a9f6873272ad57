// `millrace queue retry-failed`: queues a resume of failed runs, for whoever works.

import { RETRIED_RUNS_PER_SECOND } from "../../../model/defaults.ts";
import type { RunRecord } from "../../../model/run.ts";
import type { RetryFailedOptions, RetryOutcome } from "../../../service/selection/retry-failed.ts";
import { formatDuration } from "../../../std/duration.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { confirm } from "../../confirm.ts";
import { EXIT } from "../../exit-code.ts";
import { withDocument } from "../../foreground/with-document.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readSince } from "../../input/list-flags.ts";
import { nextCommand } from "../../next-command.ts";
import { showCountOf } from "../../../std/shown/figures.ts";
import type { StoreReader } from "../../with-store.ts";
import { NO_RUNS, toSelectionDocument, saySelection } from "./report-selection.ts";
import { loadPipelinesOf, withMill } from "./with-mill.ts";

/** Queues failed runs again. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const reader = new FlagReader(options);
  const pipeline = reader.text("pipeline");
  const nowMs = context.clock.wallMs();
  const sinceMs = readSince(reader, nowMs);
  const fingerprint = reader.text("fingerprint");
  const dryRun = reader.has("dryRun");
  reader.finish("npx millrace queue retry-failed --help");
  const which: RetryFailedOptions = {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(sinceMs === undefined ? {} : { since: Math.max(0, nowMs - sinceMs) }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  const words = { done: "queued", deed: "queue", kind: "failed", dryRun };
  return withDocument(context, async (keep) => {
    const parts = await loadPipelinesOf(context, (store) => findOnePerPipeline(store, pipeline));
    const outcome =
      parts === undefined
        ? NO_RUNS
        : await withMill(context, parts, async (mill) => {
            const found = await mill.retryFailed({ ...which, dryRun: true });
            if (dryRun || found.matching === 0) return found;
            const agreed = await confirm(context, {
              deed: `queue ${showCountOf(found.matching, "failed run")}${sayPace(found)}`,
              yes: reader.has("yes"),
              dryRun: nextCommand(context, ["queue", "retry-failed", ...listWords(options), "-n"]),
            });
            return agreed ? await mill.retryFailed(which) : found;
          });
    saySelection(context, outcome, { ...words, pace: sayPace(outcome) });
    keep(toSelectionDocument("millrace.queue-retry-failed/1", outcome));
    return EXIT.ok;
  });
}

/** How they are spread over time; empty where all begin at once. */
function sayPace({ spreadMs }: Pick<RetryOutcome, "spreadMs">): string {
  if (spreadMs === 0) return "";
  return `, ${RETRIED_RUNS_PER_SECOND} a second: the last one is due in ${formatDuration(spreadMs)}`;
}

/** What was asked for, again. */
function listWords(options: ParsedOptions): readonly string[] {
  return ["pipeline", "since", "fingerprint"].flatMap((name) => {
    const value = options[name];
    return typeof value === "string" ? [`--${name}`, value] : [];
  });
}

async function findOnePerPipeline(
  store: StoreReader,
  pipeline: string | undefined,
): Promise<readonly RunRecord[]> {
  const counts = await store.countRuns();
  const names = [...counts].flatMap(([name, { failed = 0 }]) =>
    failed > 0 && (pipeline === undefined || pipeline === name) ? [name] : [],
  );
  const found: RunRecord[] = [];
  for (const name of names)
    found.push(...(await store.listRuns({ pipeline: name, states: ["failed"], limit: 1 })));
  return found;
}
