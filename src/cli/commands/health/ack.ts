// `millrace health ack`: somebody has looked at what blocks a pipeline, and says what it was.

import { escapeControl } from "../../../std/text.ts";
import { findUserName } from "../../../std/machine.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { EXIT } from "../../exit-code.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { listConfiguredPipelines } from "../../load/declare-configured.ts";
import { printAnswer, printDocument } from "../../print.ts";
import { readSettings } from "../../settings.ts";
import { withStore } from "../../with-store.ts";
import { withMill } from "../queue/with-mill.ts";

/** Acknowledges. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const [pipeline = ""] = args;
  const reader = new FlagReader(options);
  const reason = reader.text("reason");
  if (reason === undefined) reader.fault("reason", "say what was found; it is kept and shown");
  reader.finish("npx millrace health ack --help");
  // A store that does not exist is not made for this.
  await withStore(context, async () => undefined);
  const settings = await readSettings(context);
  const parts = { pipelines: listConfiguredPipelines(settings), settings };
  const { changed, health } = await withMill(context, parts, (mill) =>
    mill.healthAck(pipeline, { reason: reason ?? "", actor: findUserName() }),
  );
  if (context.flags.json) {
    printDocument(context, { schema: "millrace.health-ack/1", changed, health });
    return EXIT.ok;
  }
  const now = `${escapeControl(pipeline)} is ${health.verdict}`;
  printAnswer(context, changed ? `acknowledged; ${now}` : `nothing blocked it; ${now}`);
  return EXIT.ok;
}
