// `millrace logs`: what the stages of a run have logged, and on request what they log until it has ended.

import { ATTEMPTS_MAX, RECENT_EVENTS_MAX } from "../../../model/limits.ts";
import {
  LOG_LEVELS,
  isLogLineOf,
  toLogLine,
  type LogQuery,
} from "../../../service/events/list-logs.ts";
import { findRun, runName } from "../../../service/queries/find-run.ts";
import type { MillraceEvent } from "../../../model/event.ts";
import { oneLine } from "../../../std/text.ts";
import type { CliContext, ParsedOptions } from "../../cli-context.ts";
import { parseAddress } from "../../input/address.ts";
import { FlagReader } from "../../input/flag-reader.ts";
import { readSince } from "../../input/list-flags.ts";
import { printRemark } from "../../print.ts";
import { printStream } from "../../stream/print-stream.ts";
import { readEvents, type EventStream } from "../../stream/read-events.ts";
import { listenForEnd } from "../../stream/stream-end.ts";
import { withStore } from "../../with-store.ts";

/** Prints log lines. */
export async function run(
  context: CliContext,
  options: ParsedOptions,
  args: readonly string[],
): Promise<number> {
  const { run: reference, stage, key } = parseAddress(args[0] ?? "");
  const { lines, stream } = readFlags(context, options);
  const wanted: Omit<LogQuery, "run"> = {
    ...lines,
    ...(stage === undefined ? {} : { stage }),
    ...(key === undefined ? {} : { item: key }),
  };
  const end = listenForEnd(context);
  try {
    return await withStore(context, async (store) => {
      const record = await findRun(store, reference);
      const name = runName(record);
      const isWanted = (event: MillraceEvent): boolean => {
        const line = toLogLine(event, name);
        return line !== undefined && isLogLineOf(line, wanted);
      };
      const entries = readEvents(store, {
        ...stream,
        run: record,
        types: ["stage.logged"],
        isWanted,
        signal: end.signal,
        clock: context.clock,
        warn: (message) => printRemark(context, message),
      });
      await printStream(context, entries, {
        toLine: async (event) => renderLine(event, name),
        toDocument: async (event) => ({ ...toLogLine(event, name) }),
      });
      return end.exitCode();
    });
  } finally {
    end.close();
  }
}

function renderLine(event: MillraceEvent, name: string): string {
  const line = toLogLine(event, name);
  if (line === undefined) return "";
  const { at, stage, item, attempt, level, text } = line;
  const address = `${item === undefined ? stage : `${stage}/${item}`}#${attempt}`;
  return `${at} ${oneLine(address)} ${level.padEnd(5)}  ${oneLine(text)}`;
}

interface Flags {
  readonly lines: Pick<LogQuery, "attempt" | "levels" | "grep">;
  readonly stream: Pick<EventStream, "sinceMs" | "tail" | "follow">;
}

function readFlags(context: CliContext, options: ParsedOptions): Flags {
  const reader = new FlagReader(options);
  const attempt = reader.whole("attempt", { min: 1, max: ATTEMPTS_MAX });
  const level = reader.oneOf("level", LOG_LEVELS);
  const grep = reader.text("grep");
  const tail = reader.whole("tail", { min: 1, max: RECENT_EVENTS_MAX });
  const sinceMs = readSince(reader, context.clock.wallMs());
  reader.finish("npx millrace logs --help");
  return {
    lines: {
      ...(attempt === undefined ? {} : { attempt }),
      // A level stands for itself and all above it.
      ...(level === undefined ? {} : { levels: LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)) }),
      ...(grep === undefined ? {} : { grep }),
    },
    stream: {
      follow: reader.has("follow"),
      ...(tail === undefined ? {} : { tail }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    },
  };
}
