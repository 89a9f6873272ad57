// Prints what is read as it comes: lines for people, JSON Lines for programs. A gap is a line of its own in both.

import type { MillraceEvent } from "../../model/event.ts";
import type { BusEntry } from "../../service/feed/event-bus.ts";
import type { CliContext } from "../cli-context.ts";
import { printJsonLines, printText } from "../print.ts";

/** How one event is said. */
export interface StreamShape {
  readonly toLine: (event: MillraceEvent) => Promise<string>;
  readonly toDocument: (event: MillraceEvent) => Promise<object>;
}

/** Prints all of it. */
export async function printStream(
  context: Pick<CliContext, "stdout" | "flags">,
  entries: AsyncIterable<BusEntry>,
  shape: StreamShape,
): Promise<void> {
  if (context.flags.json) await printJsonLines(context, toDocuments(entries, shape));
  else await printText(context, toLines(entries, shape));
}

async function* toDocuments(
  entries: AsyncIterable<BusEntry>,
  { toDocument }: StreamShape,
): AsyncGenerator<object> {
  for await (const entry of entries) {
    if (entry.kind === "event") yield await toDocument(entry.event);
    else yield { gap: { missed: entry.missed, afterSeq: entry.afterSeq } };
  }
}

async function* toLines(
  entries: AsyncIterable<BusEntry>,
  { toLine }: StreamShape,
): AsyncGenerator<string> {
  for await (const entry of entries) {
    if (entry.kind === "event") yield `${await toLine(entry.event)}\n`;
    else yield `gap: ${entry.missed} missing after ${entry.afterSeq}, they came too fast\n`;
  }
}
