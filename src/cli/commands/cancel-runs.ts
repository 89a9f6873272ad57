// `millrace cancel --state`: ends many runs at once, after it has said how many.

import type { RunState } from "../../model/run.ts";
import type { SelectionOutcome } from "../../service/selection/run-selection.ts";
import type { CliContext } from "../cli-context.ts";
import { confirm } from "../confirm.ts";
import { EXIT } from "../exit-code.ts";
import type { FlagReader } from "../input/flag-reader.ts";
import { readStates } from "../input/list-flags.ts";
import { nextCommand } from "../next-command.ts";
import { printDocument } from "../print.ts";
import { showCountOf } from "../../std/shown/figures.ts";
import { readSettings } from "../settings.ts";
import { withStoreIfAny } from "../with-store.ts";
import { NO_RUNS, saySelection } from "./queue/report-selection.ts";
import { withMill } from "./queue/with-mill.ts";

const CANCELLABLE = ["queued", "waiting", "running"] as const;

/** What is to be cancelled, and how. */
interface Wish {
  readonly which: { readonly state: readonly RunState[]; readonly pipeline?: string };
  readonly reason: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** The flags again, to print a command that means the same runs. */
  readonly words: readonly string[];
}

/** Cancels the runs that the flags describe. */
export async function cancelSelected(
  context: CliContext,
  reader: FlagReader,
  reason: string,
): Promise<number> {
  const wish = readWish(reader, reason);
  // A store that does not exist is not made for this.
  const isThere = (await withStoreIfAny(context, async () => true)) === true;
  const outcome = isThere ? await cancel(context, wish) : NO_RUNS;
  const { dryRun, which } = wish;
  const done = which.state.includes("running") ? "cancelled, or asked to end," : "cancelled";
  saySelection(context, outcome, { done, deed: "cancel", kind: "", dryRun });
  if (context.flags.json) {
    const { matching, changed, skipped } = outcome;
    const schema = "millrace.cancel/1";
    printDocument(context, { schema, results: [], matching, changed, skipped });
  }
  return EXIT.ok;
}

function readWish(reader: FlagReader, reason: string): Wish {
  const state = readStates(reader, CANCELLABLE);
  const pipeline = reader.text("pipeline");
  if (state === undefined) reader.fault("state", `expected ${CANCELLABLE.join(", ")}`);
  for (const name of ["wait", "force"])
    if (reader.has(name)) reader.fault(name, "goes with runs that are named, and not with --state");
  reader.finish("npx millrace cancel --help");
  const states = state ?? [];
  return {
    which: { state: states, ...(pipeline === undefined ? {} : { pipeline }) },
    reason,
    dryRun: reader.has("dryRun"),
    yes: reader.has("yes"),
    words: [
      ...(pipeline === undefined ? [] : ["--pipeline", pipeline]),
      "--state",
      states.join(","),
    ],
  };
}

async function cancel(
  context: CliContext,
  { which, reason, dryRun, yes, words }: Wish,
): Promise<SelectionOutcome> {
  const settings = await readSettings(context);
  return withMill(context, { pipelines: [], settings }, async (mill) => {
    const found = await mill.cancel({ ...which, dryRun: true });
    if (dryRun || found.matching === 0) return found;
    const agreed = await confirm(context, {
      deed: `cancel ${showCountOf(found.matching, "run")}`,
      yes,
      dryRun: nextCommand(context, ["cancel", ...words, "-n"]),
    });
    return agreed ? await mill.cancel({ ...which, reason }) : found;
  });
}
