// Reads the fields of an event's data without trusting them: what is absent or of another type is undefined.

import type { MillraceEvent } from "../../../model/event.ts";
import type { StageEndState, Via } from "../../../model/outcome.ts";
import type { Json } from "../../../std/json.ts";
import type { NewFailure } from "./failure-groups.ts";
import type { Wait } from "./stage-progress.ts";

/** A text field of an event. */
export function textField(event: MillraceEvent, name: string): string | undefined {
  const value = event.data?.[name];
  return typeof value === "string" ? value : undefined;
}

/** A number field of an event. */
export function numberField(event: MillraceEvent, name: string): number | undefined {
  const value = event.data?.[name];
  return typeof value === "number" ? value : undefined;
}

/** How a success came about; `run` where nothing is said. */
export function viaField(event: MillraceEvent): Via {
  const via = textField(event, "via");
  return via === "cache" || via === "checkpoint" ? via : "run";
}

/** What `stage.waiting` and `item.waiting` say. */
export function readWait(event: MillraceEvent): Wait {
  const blocker = event.data?.["blocker"];
  const { kind, name } = readBlocker(blocker);
  const ended = event.attempt ?? numberField(event, "attempt");
  const errorClass = textField(event, "class");
  // Before a retry the event tells of the attempt that ended; the one to come is what people ask about. A deferral is
  // none, and what waits for a resource has not begun.
  const isNext = ended === undefined || errorClass === "throttled" || kind !== "retry";
  return {
    kind,
    name,
    ahead: numberField(event, "ahead"),
    waiting: numberField(event, "waiting") ?? 1,
    dueAtMs: numberField(event, "dueAtMs"),
    attempt: isNext ? ended : ended + 1,
    message: textField(event, "message"),
    class: errorClass,
  };
}

/** A blocker is told as its kind, or with who is to blame: `quota:scorer`, `limit:host/example.com`. */
function readBlocker(blocker: Json | undefined): Pick<Wait, "kind" | "name"> {
  if (typeof blocker !== "string") return { kind: "retry", name: undefined };
  const cut = blocker.search(/[ :]/);
  if (cut < 0) return { kind: blocker, name: undefined };
  return { kind: blocker.slice(0, cut), name: blocker.slice(cut + 1) };
}

/** What `stage.failed` and `item.failed` say. */
export function readFailure(event: MillraceEvent): NewFailure {
  const message = textField(event, "message") ?? "no message";
  const errorClass = textField(event, "class") ?? "unknown";
  return {
    stage: event.stage ?? "",
    fingerprint: textField(event, "fingerprint") ?? `${errorClass}\0${message}`,
    class: errorClass,
    message,
    code: textField(event, "code"),
    firstItem: event.item,
    attempts: numberField(event, "attempts") ?? event.attempt ?? 1,
    firstAtMs: event.atMs,
  };
}

const STAGE_ENDS = ["succeeded", "failed", "skipped", "cancelled", "upstream_failed"] as const;

/** The state in which a stage or item ended, where that is what the event tells. */
export function endOf(event: MillraceEvent): StageEndState | undefined {
  const word = event.type.slice(event.type.indexOf(".") + 1);
  return STAGE_ENDS.find((end) => end === word);
}
