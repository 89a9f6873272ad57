// `millrace resources set`: another limit or other quotas, for all processes at once.

import { nameOf, sayOverride } from "../../answers/resource-table.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { parseResourceValues } from "../../input/resource-values.ts";
import { giveOrder } from "./give-order.ts";

/** Sets numbers. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const reader = new FlagReader(options);
  const forMs = reader.durationMs("for");
  reader.finish("npx millrace resources set --help");
  const [address = "", ...words] = args;
  const values = parseResourceValues(words);
  return giveOrder(context, {
    address,
    reader,
    give: (mill, name, order) =>
      mill.setResource(name, {
        ...order,
        ...values,
        ...(forMs === undefined ? {} : { for: forMs }),
      }),
    say: (view) => `set ${nameOf(view)}: ${sayOverride(view)}`,
    undo: "reset",
  });
}
