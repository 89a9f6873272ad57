// One event as a line: number, time, run, type, what of the run, and the facts that fit.

import type { MillraceEvent } from "../../model/event.ts";
import { toIso } from "../../service/views/time-view.ts";
import type { Json } from "../../std/json.ts";
import { boundedText } from "../../std/json.ts";
import { oneLine } from "../../std/text.ts";

/** Characters of one value. */
const VALUE_CHARS_MAX = 120;

/** The line. */
export function renderEvent(event: MillraceEvent, run: string | undefined): string {
  const { seq, atMs, type, stage, item, data = {} } = event;
  const address = stage === undefined ? [] : [item === undefined ? stage : `${stage}/${item}`];
  const facts = Object.entries(data).map(([key, value]) => `${key}=${showValue(value)}`);
  return oneLine([seq, toIso(atMs), run ?? "-", type, ...address, ...facts].join(" "));
}

function showValue(value: Json): string {
  // Durations are kept to the fraction of a millisecond.
  if (typeof value === "number") return String(Math.round(value * 1_000) / 1_000);
  if (typeof value !== "string") return boundedText(JSON.stringify(value), VALUE_CHARS_MAX);
  const text = boundedText(oneLine(value), VALUE_CHARS_MAX);
  return text === "" || /[\s"]/.test(text) ? JSON.stringify(text) : text;
}
