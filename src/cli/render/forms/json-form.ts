// `--log json`: every event as one line of JSON, for programs. What the command itself says comes as lines of
// the types `command.foreseen`, `command.remarked`, `command.stopping` and `command.closed`, so that no line is of another form.

import type { MillraceEvent } from "../../../model/event.ts";
import type { Json } from "../../../std/json.ts";
import { toDocumentText } from "../../print.ts";
import type { FormOptions, ProgressForm } from "./progress-form.ts";

/** Writes JSON Lines. Times are ISO 8601; runs have their short names. */
export function makeJsonForm({ progress, clock, write }: FormOptions): ProgressForm {
  const { run } = progress.plan;
  const put = (line: Readonly<Record<string, unknown>>): void =>
    write(`${toDocumentText(line, 0)}\n`);
  const say = (type: string, data: Readonly<Record<string, unknown>>): void =>
    put({ seq: 0, at: toIso(clock.wallMs()), type, run, data });
  return {
    begin: () => undefined,
    tell: ({ event }) => put(toLine(event, run)),
    foresee: () => {
      const left = progress.forecast?.run(clock.wallMs());
      if (left !== undefined) say("command.foreseen", { ...left });
    },
    remark: ({ text, level }) => say("command.remarked", { level, text }),
    stopping: ({ cause, abortAtMs, resume }) =>
      say("command.stopping", {
        cause,
        abortAt: toIso(abortAtMs),
        ...(resume === undefined ? {} : { resume }),
      }),
    finish: (closing) =>
      say("command.closed", {
        state: closing.state,
        durationMs: closing.durationMs,
        warnings: closing.warnings,
        stages: withoutZeros(closing.stages),
        items: withoutZeros(closing.items),
        failures: closing.failures.map(
          ({ stage, class: errorClass, message, count, firstItem }) => ({
            stage,
            class: errorClass,
            message,
            count,
            ...(firstItem === undefined ? {} : { firstItem }),
          }),
        ),
        next: closing.next.map(({ command }) => command),
      }),
    abandon: () => undefined,
  };
}

/** An event as it leaves the house. */
function toLine(event: MillraceEvent, run: string): Readonly<Record<string, Json>> {
  return {
    seq: event.seq,
    at: toIso(event.atMs),
    type: event.type,
    run,
    ...(event.stage === undefined ? {} : { stage: event.stage }),
    ...(event.item === undefined ? {} : { item: event.item }),
    ...(event.attempt === undefined ? {} : { attempt: event.attempt }),
    ...(event.data === undefined ? {} : { data: event.data }),
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

function withoutZeros(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(counts).filter(([name, count]) => count > 0 || name === "total"),
  );
}
