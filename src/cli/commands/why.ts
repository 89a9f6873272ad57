// `millrace why`: why a run, stage or item is in its state, from the store alone.

import { relative } from "node:path";
import type { RunRecord } from "../../model/run.ts";
import { explainRun } from "../../service/explain.ts";
import { WORK_COMMAND } from "../../service/explain/explain-queued.ts";
import { readWaitHistory } from "../../service/explain/wait-history.ts";
import { findRun } from "../../service/queries/find-run.ts";
import { toBlockerView } from "../../service/views/blocker-view.ts";
import { renderHistory, renderWhy } from "../answers/why-text.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { parseAddress } from "../input/address.ts";
import { quoteWord, withCommonFlags } from "../next-command.ts";
import { printAnswer, printDocument } from "../print.ts";
import { lookOf } from "../render/look.ts";
import { parseRunSource } from "../run-source.ts";
import { withStore } from "../with-store.ts";

/** Explains. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const { run: reference, stage, key } = parseAddress(args[0] ?? "");
  const address = {
    ...(stage === undefined ? {} : { stage }),
    ...(key === undefined ? {} : { item: key }),
  };
  return withStore(context, async (store) => {
    const record = await findRun(store, reference);
    const { blockers, notes, ...answer } = await explainRun(store, record, address);
    const history =
      options["history"] === true ? await readWaitHistory(store, record, address) : undefined;
    const shown = {
      ...answer,
      blockers: blockers.map(toBlockerView),
      notes: notes.map((note) => withCommonFlags(context, addFile(context, note, record))),
    };
    if (context.flags.json) {
      const past =
        history === undefined ? {} : { history: history.waits, waitedMs: history.totalsMs };
      printDocument(context, { schema: "millrace.why/1", ...shown, ...past });
      return EXIT.ok;
    }
    const look = lookOf(context, context.stdout);
    printAnswer(context, renderWhy(shown, look));
    if (history !== undefined) printAnswer(context, renderHistory(history, look));
    return EXIT.ok;
  });
}

/** What works a queue finds its pipelines in the configuration, or in the file that is named. */
function addFile(context: CliContext, note: string, { source }: RunRecord): string {
  const origin = parseRunSource(context.cwd, source);
  if (origin.kind !== "file" || !note.endsWith(WORK_COMMAND)) return note;
  const inside = relative(context.cwd, origin.path);
  const path = inside.startsWith("..") ? origin.path : inside;
  return `${note} ${quoteWord(`${path}#${origin.pipeline}`)}`;
}
