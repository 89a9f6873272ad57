// What set, trip and reset have in common: an open mill, the user as the actor, the key as it stands afterwards.

import type { Millrace } from "../../../service/millrace.ts";
import type { ResourceOrderOptions } from "../../../service/resources/set-resource.ts";
import type { ResourceView } from "../../../service/views/resource-view.ts";
import { findUserName } from "../../../std/machine.ts";
import type { CliContext } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import type { FlagReader } from "../../input/flag-reader.ts";
import { parseResourceAddress, type NamedResource } from "../../input/resource-address.ts";
import { listConfiguredPipelines } from "../../load/declare-configured.ts";
import { nextCommand } from "../../next-command.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { readSettings } from "../../settings.ts";
import { withStore } from "../../with-store.ts";
import { withMill } from "../queue/with-mill.ts";

/** One order. */
export interface GivenOrder {
  /** As written: `NAME[/KEY]`. */
  readonly address: string;
  /** Already finished. */
  readonly reader: FlagReader;
  readonly give: (
    mill: Millrace,
    name: string,
    options: ResourceOrderOptions,
  ) => Promise<ResourceView>;
  /** What is said when it is done. */
  readonly say: (view: ResourceView) => string;
  /** The verb that undoes it; null: there is none. */
  readonly undo: "reset" | null;
}

/** Gives the order and tells how the key stands. */
export async function giveOrder(context: CliContext, order: GivenOrder): Promise<number> {
  const named = parseResourceAddress(order.address);
  // A store that does not exist is not made for this.
  await withStore(context, async () => undefined);
  const settings = await readSettings(context);
  const pipelines = listConfiguredPipelines(settings);
  const view = await withMill(context, { pipelines, settings }, (mill) =>
    order.give(mill, named.name, toOptions(named, order.reader)),
  );
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.resources/1", resources: [view] });
    return EXIT.ok;
  }
  const words = ["resources", order.undo ?? "list", order.address];
  const next = order.undo === null ? "" : `      next: ${nextCommand(context, words)}`;
  printAnswer(context, `${order.say(view)}${next}`);
  return EXIT.ok;
}

function toOptions({ key }: NamedResource, reader: FlagReader): ResourceOrderOptions {
  const reason = reader.text("reason");
  return {
    actor: findUserName(),
    ...(key === undefined ? {} : { key }),
    ...(reason === undefined ? {} : { reason }),
  };
}
