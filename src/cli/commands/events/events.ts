// `millrace events`: what the store has told, and on request what it tells from now on. Without a run and without a
// place to begin at, the newest few.

import { PAGE_ROWS_DEFAULT, RECENT_EVENTS_MAX } from "../../../model/limits.ts";
import { checkEventTypes } from "../../../service/feed/check-event-types.ts";
import { findRun } from "../../../service/queries/find-run.ts";
import { toEventView } from "../../../service/views/event-view.ts";
import { renderEvent } from "../../answers/event-line.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readSince } from "../../input/list-flags.ts";
import { nextCommand } from "../../next-command.ts";
import { printRemark } from "../../print.ts";
import { printStream } from "../../stream/print-stream.ts";
import { readEvents, type EventStream } from "../../stream/read-events.ts";
import { RunNames } from "../../stream/run-names.ts";
import { listenForEnd } from "../../stream/stream-end.ts";
import { withStore } from "../../with-store.ts";

/** Prints events. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const flags = readFlags(context, options);
  const [reference] = args;
  const isWhole =
    reference !== undefined || flags.after !== undefined || flags.sinceMs !== undefined;
  const end = listenForEnd(context);
  try {
    return await withStore(context, async (store) => {
      const names = new RunNames(store);
      const of = reference === undefined ? {} : { run: await findRun(store, reference) };
      const tail = flags.tail === undefined && !isWhole ? { tail: PAGE_ROWS_DEFAULT } : {};
      const entries = readEvents(store, {
        ...flags,
        ...of,
        ...tail,
        signal: end.signal,
        clock: context.clock,
        warn: (message) => printRemark(context, message),
      });
      await printStream(context, entries, {
        toLine: async (event) => renderEvent(event, await names.find(event.run)),
        toDocument: async (event) => {
          const name = await names.find(event.run);
          return { ...toEventView(event), ...(name === undefined ? {} : { name }) };
        },
      });
      if (tail.tail !== undefined && !flags.follow)
        printRemark(context, `from the first: ${nextCommand(context, ["events", "--after", "0"])}`);
      return end.exitCode();
    });
  } finally {
    end.close();
  }
}

type Flags = Pick<EventStream, "after" | "sinceMs" | "tail" | "types" | "follow">;

function readFlags(context: CliContext, options: ParsedOptions): Flags {
  const reader = new FlagReader(options);
  const after = reader.whole("after", { min: 0, max: Number.MAX_SAFE_INTEGER });
  const tail = reader.whole("tail", { min: 1, max: RECENT_EVENTS_MAX });
  const sinceMs = readSince(reader, context.clock.wallMs());
  const types = reader.names("type");
  reader.finish("npx millrace events --help");
  if (types !== undefined) checkEventTypes(types);
  return {
    follow: reader.has("follow"),
    ...(after === undefined ? {} : { after }),
    ...(tail === undefined ? {} : { tail }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(types === undefined ? {} : { types }),
  };
}
