// `millrace items`: the items of a map stage, in their order.

import { STAGE_STATES } from "../../model/outcome.ts";
import { iterateItems, listItems, type ItemListQuery } from "../../service/queries/list-items.ts";
import { MillraceError } from "../../model/errors.ts";
import { renderItemTable } from "../answers/item-table.ts";
import type { CliContext, ParsedOptions } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { parseAddress } from "../input/address.ts";
import { FlagReader } from "../input/flag-reader.ts";
import { readPage, readStates } from "../input/list-flags.ts";
import { nextCommand } from "../next-command.ts";
import { printAnswer, printDocument, printJsonLines, printRemark } from "../print.ts";
import { lookOf } from "../render/look.ts";
import { countStates } from "../../model/drawing/state-words.ts";
import { withStore } from "../with-store.ts";

/** Lists items. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const query = readQuery(options, args[0] ?? "");
  const isStream = new FlagReader(options).has("jsonl");
  return withStore(context, async (store) => {
    if (isStream) {
      await printJsonLines(context, iterateItems(store, query));
      return EXIT.ok;
    }
    const page = await listItems(store, { ...query, outputs: context.flags.json });
    if (context.flags.json) {
      printDocument(context, { schema: "millrace.items/1", ...page });
      return EXIT.ok;
    }
    const look = lookOf(context, context.stdout);
    if (page.items.length > 0) printAnswer(context, renderItemTable(page.items, look));
    const counts = page.counts.total === 0 ? "no items" : countStates(page.counts);
    printRemark(context, `${page.run.name}/${page.stage}: ${counts}`);
    if (page.nextCursor !== undefined)
      printMore(context, options, [args[0] ?? "", page.nextCursor]);
    return EXIT.ok;
  });
}

function readQuery(options: ParsedOptions, text: string): ItemListQuery {
  const address = parseAddress(text);
  const { run: reference, stage, key } = address;
  if (stage === undefined || key !== undefined) {
    throw new MillraceError("USAGE_INVALID", `"${text}" names no stage of a run.`, {
      hint: "items are listed of RUN/STAGE, as in last/score",
      next: `npx millrace show ${reference}`,
      details: { given: text },
    });
  }
  const reader = new FlagReader(options);
  const states = readStates(reader, STAGE_STATES);
  const page = readPage(reader);
  reader.finish("npx millrace items --help");
  return { run: reference, stage, ...page, ...(states === undefined ? {} : { states }) };
}

function printMore(
  context: CliContext,
  options: ParsedOptions,
  [address, cursor]: readonly [string, string],
): void {
  const words = (["limit", "state"] as const).flatMap((name) => {
    const value = options[name];
    return typeof value === "string" ? [`--${name}`, value] : [];
  });
  const next = nextCommand(context, ["items", address, ...words, "--cursor", cursor]);
  printRemark(context, `more: ${next}`);
}
