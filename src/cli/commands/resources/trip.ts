// `millrace resources trip`: opens a breaker by hand.

import { nameOf } from "../../answers/resource-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { giveOrder } from "./give-order.ts";

/** Opens a breaker. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const forMs = reader.durationMs("for");
  reader.finish("npx millrace resources trip --help");
  return giveOrder(context, {
    address: args[0] ?? "",
    reader,
    give: (mill, name, order) =>
      mill.tripResource(name, { ...order, ...(forMs === undefined ? {} : { for: forMs }) }),
    say: (view) =>
      `tripped ${nameOf(view)}: its breaker is ${view.breaker?.state ?? "open"}` +
      (view.breaker?.openUntil === undefined ? "" : `, a probe goes at ${view.breaker.openUntil}`),
    undo: "reset",
  });
}
