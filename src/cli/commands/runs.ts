// `millrace runs`: the newest runs of a store, one line each.

import { RUN_STATES } from "../../model/run.ts";
import { listRuns, type RunListQuery } from "../../service/queries/list-runs.ts";
import { renderRunTable } from "../answers/run-table.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { readPage, readSince, readStates, readTag } from "../input/list-flags.ts";
import { nextCommand } from "../next-command.ts";
import { printAnswer, printDocument, printRemark } from "../print.ts";
import { lookOf } from "../render/look.ts";
import { withStoreIfAny } from "../with-store.ts";

/** Lists runs. */
export async function run(context: CliContext, options: ParsedOptions): Promise<number> {
  const query = readQuery(context, options);
  const page = await withStoreIfAny(context, async (store) => ({
    ...(await listRuns(store, query)),
    nowMs: store.nowMs(),
  }));
  const runs = page?.runs ?? [];
  if (context.flags.json) {
    const cursor = page?.nextCursor === undefined ? {} : { nextCursor: page.nextCursor };
    printDocument(context, { schema: "millrace.runs/1", runs, ...cursor });
    return EXIT.ok;
  }
  if (runs.length === 0) {
    printRemark(context, page === undefined ? "no runs yet: there is no store here" : "no runs");
    return EXIT.ok;
  }
  printAnswer(context, renderRunTable(runs, lookOf(context, context.stdout), page?.nowMs ?? 0));
  if (page?.nextCursor !== undefined) printMore(context, options, page.nextCursor);
  return EXIT.ok;
}

function readQuery(context: CliContext, options: ParsedOptions): RunListQuery {
  const reader = new FlagReader(options);
  const states = readStates(reader, RUN_STATES);
  const sinceMs = readSince(reader, context.clock.wallMs());
  const tag = readTag(reader);
  const pipeline = reader.text("pipeline");
  const parent = reader.text("parent");
  const page = readPage(reader);
  reader.finish("npx millrace runs --help");
  return {
    ...page,
    ...(states === undefined ? {} : { states }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(tag === undefined ? {} : { tag }),
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(parent === undefined ? {} : { parent }),
  };
}

const LIST_FLAGS = ["limit", "since", "state", "pipeline", "tag", "parent"] as const;

function printMore(context: CliContext, options: ParsedOptions, cursor: string): void {
  const words = LIST_FLAGS.flatMap((name) => {
    const value = options[name];
    return typeof value === "string" ? [`--${name}`, value] : [];
  });
  printRemark(context, `more: ${nextCommand(context, ["runs", ...words, "--cursor", cursor])}`);
}
