// `millrace resources reset`: back to what is declared.

import { nameOf, sayOverride } from "../../answers/resource-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { giveOrder } from "./give-order.ts";

/** Lifts what was set, and closes the breaker. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  return giveOrder(context, {
    address: args[0] ?? "",
    reader,
    give: (mill, name, order) => mill.resetResource(name, order),
    say: (view) =>
      `reset ${nameOf(view)}: ${sayOverride(view)}` +
      (view.breaker === undefined ? "" : `, its breaker is ${view.breaker.state}`),
    undo: null,
  });
}
