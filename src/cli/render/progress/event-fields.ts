// Reads the fields of an event's data without trusting them: what is absent or of another type is undefined.

import type { MillraceEvent } from "../../../model/event.ts";
import type { StageEndState, Via } from "../../../model/outcome.ts";
import type { Json } from "../../../std/json.ts";
import { isRecord } from "../../../std/record.ts";
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
  const { kind, name, ahead } = readBlocker(blocker);
  const dueAtMs = numberField(event, "dueAtMs");
  const ended = event.attempt ?? numberField(event, "attempt");
  const errorClass = textField(event, "class");
  return {
    kind,
    name,
    ahead,
    dueAtMs,
    // The event tells of the attempt that ended; the one to come is what people ask about. A deferral is none.
    attempt: ended === undefined || errorClass === "throttled" ? ended : ended + 1,
    message: textField(event, "message"),
    class: errorClass,
  };
}

/** A blocker is told as its kind, as `kind name`, or as a record. */
function readBlocker(blocker: Json | undefined): Pick<Wait, "kind" | "name" | "ahead"> {
  if (typeof blocker === "string") {
    const [kind = "retry", ...name] = blocker.split(/[ :]/);
    return { kind, name: name.length === 0 ? undefined : name.join(" "), ahead: undefined };
  }
  if (!isRecord(blocker)) return { kind: "retry", name: undefined, ahead: undefined };
  const { kind, name, ahead } = blocker;
  return {
    kind: typeof kind === "string" ? kind : "retry",
    name: typeof name === "string" ? name : undefined,
    ahead: typeof ahead === "number" ? ahead : undefined,
  };
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
