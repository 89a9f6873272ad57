// `millrace queue purge`: deletes runs in some states with all they have; never running ones.

import { RUN_STATES } from "../../../model/run.ts";
import type { PurgeOptions } from "../../../service/selection/purge-runs.ts";
import type { SelectionOutcome } from "../../../service/selection/run-selection.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { confirm } from "../../confirm.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readStates } from "../../input/list-flags.ts";
import { nextCommand } from "../../next-command.ts";
import { printDocument } from "../../print.ts";
import { showCountOf } from "../../../std/shown/figures.ts";
import { readSettings } from "../../settings.ts";
import { withStoreIfAny } from "../../with-store.ts";
import { NO_RUNS, saySelection, toSelectionDocument } from "./report-selection.ts";
import { withMill } from "./with-mill.ts";

const PURGEABLE = RUN_STATES.filter((state) => state !== "running");

/** Deletes runs. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const reader = new FlagReader(options);
  const states = readStates(reader, PURGEABLE) ?? [];
  if (!reader.has("state")) reader.fault("state", `expected ${PURGEABLE.join(", ")}`);
  const olderThanMs = reader.durationMs("olderThan");
  const dryRun = reader.has("dryRun");
  reader.finish("npx millrace queue purge --help");
  const which = {
    state: states,
    ...(olderThanMs === undefined ? {} : { olderThan: olderThanMs }),
  };
  const yes = reader.has("yes");
  const age = reader.text("olderThan");
  const words = ["--state", states.join(","), ...(age === undefined ? [] : ["--older-than", age])];
  // A store that does not exist is not made for this.
  const isThere = (await withStoreIfAny(context, async () => true)) === true;
  const outcome = isThere ? await purge(context, which, { dryRun, yes, words }) : NO_RUNS;
  saySelection(context, outcome, { done: "deleted", deed: "delete", kind: "", dryRun });
  if (context.flags.json)
    printDocument(context, toSelectionDocument("millrace.queue-purge/1", outcome));
  return EXIT.ok;
}

interface Asked {
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** The flags again, to print a command that means the same runs. */
  readonly words: readonly string[];
}

async function purge(
  context: CliContext,
  which: PurgeOptions,
  { dryRun, yes, words }: Asked,
): Promise<SelectionOutcome> {
  const settings = await readSettings(context);
  return withMill(context, { pipelines: [], settings }, async (mill) => {
    const found = await mill.purge({ ...which, dryRun: true });
    if (dryRun || found.matching === 0) return found;
    const agreed = await confirm(context, {
      deed: `delete ${showCountOf(found.matching, "run")}`,
      yes,
      dryRun: nextCommand(context, ["queue", "purge", ...words, "-n"]),
    });
    return agreed ? await mill.purge(which) : found;
  });
}
