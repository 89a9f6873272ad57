// A notice: what happened, as those outside are told, in all its fields or as one sentence for a chat. Its id is made
// of the event and the target, so that every process makes the same one and who gets it twice can tell.

import type { NoticeType } from "../../../model/compile/notify-settings.ts";
import type { MillraceEvent } from "../../../model/event.ts";
import type { RunRecord } from "../../../model/run.ts";
import { sha256Hex, type Json } from "../../../std/json.ts";
import { runName } from "../../queries/find-run.ts";
import { toIso } from "../../views/time-view.ts";

/** What happened. */
export interface Notice {
  readonly schema: "millrace.notice/1";
  readonly type: NoticeType;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** One sentence, for people. */
  readonly text: string;
  /** Null: it concerns none. */
  readonly pipeline: string | null;
  readonly run: NoticeRun | null;
  /** Of a pipeline: why. */
  readonly reasons: readonly string[];
  /** Of a breaker. */
  readonly resource: string | null;
}

/** A run, as a notice tells of it. */
export interface NoticeRun {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** Stage, class and message of its failure; null: it has none. */
  readonly stage: string | null;
  readonly class: string | null;
  readonly message: string | null;
}

/** Characters of a message within a sentence. */
const TEXT_MESSAGE_CHARS_MAX = 200;

/** Hex digits of an id. */
const ID_CHARS = 32;

/** The id of a notice, the same in every process: an event of a store happens once. */
export function noticeIdOf({ seq, atMs, run, type }: MillraceEvent, target: string): string {
  const text = JSON.stringify([seq, atMs, run, type, target]);
  return `msg_${sha256Hex(text).slice(0, ID_CHARS)}`;
}

/** Of a run that failed, or of the first that succeeded again. */
export function toRunNotice(
  event: MillraceEvent,
  run: RunRecord,
  type: "run.failed" | "run.recovered",
): Notice {
  const failure = type === "run.failed" ? run.failure : null;
  const name = runName(run);
  const told: NoticeRun = {
    id: run.id,
    name,
    state: type === "run.failed" ? "failed" : "succeeded",
    stage: failure?.stage ?? textOf(event, "stage"),
    class: failure?.class ?? textOf(event, "class"),
    message: textOf(event, "message"),
  };
  return {
    ...empty(event, type),
    pipeline: run.pipeline,
    run: told,
    text: type === "run.failed" ? sayFailed(told, run.pipeline) : sayRecovered(told, run.pipeline),
  };
}

function sayFailed({ name, stage, message }: NoticeRun, pipeline: string): string {
  const where = stage === null || stage === "" ? "" : ` at stage "${stage}"`;
  const why = message === null ? "" : `: ${message.slice(0, TEXT_MESSAGE_CHARS_MAX)}`;
  return `Run ${name} of pipeline "${pipeline}" failed${where}${why}`;
}

function sayRecovered({ name }: NoticeRun, pipeline: string): string {
  return `Pipeline "${pipeline}" has recovered: run ${name} succeeded.`;
}

/** Of a pipeline whose health changed; undefined: it was not blocked, and is not. */
export function toHealthNotice(event: MillraceEvent): Notice | undefined {
  const pipeline = textOf(event, "pipeline");
  const [from, to] = [textOf(event, "from"), textOf(event, "to")];
  if (pipeline === null || (from === "blocked") === (to === "blocked")) return undefined;
  const type = to === "blocked" ? "pipeline.blocked" : "pipeline.unblocked";
  const given = event.data?.["reasons"];
  const reasons = Array.isArray(given) ? given.filter((one) => typeof one === "string") : [];
  const why =
    reasons.length === 0 ? "" : `: ${reasons.join("; ").slice(0, TEXT_MESSAGE_CHARS_MAX)}`;
  const text =
    to === "blocked"
      ? `Pipeline "${pipeline}" is blocked${why}`
      : `Pipeline "${pipeline}" is not blocked any more; it is ${to ?? "healthy"}${why}`;
  return { ...empty(event, type), pipeline, reasons, text };
}

/** Of a resource that failed too often. */
export function toBreakerNotice(event: MillraceEvent): Notice | undefined {
  const name = textOf(event, "resource");
  if (name === null) return undefined;
  const key = textOf(event, "key");
  const resource = key === null || key === "" ? name : `${name}/${key}`;
  const text = `The breaker of resource "${resource}" has opened.`;
  return { ...empty(event, "breaker.opened"), resource, text };
}

function empty(event: MillraceEvent, type: NoticeType): Omit<Notice, "text"> {
  return {
    schema: "millrace.notice/1",
    type,
    at: toIso(event.atMs),
    pipeline: null,
    run: null,
    reasons: [],
    resource: null,
  };
}

function textOf({ data }: MillraceEvent, field: string): string | null {
  const value: Json | undefined = data?.[field];
  return typeof value === "string" ? value : null;
}

/** The body as chats take it. What their markup would read is written so that it does not. */
export function toChatBody({ text }: { readonly text: string }, leftOut: number): string {
  const more = leftOut === 0 ? "" : ` (and ${leftOut} before it that were left out)`;
  const plain = `${text}${more}`.replaceAll("&", "&amp;");
  return JSON.stringify({ text: plain.replaceAll("<", "&lt;").replaceAll(">", "&gt;") });
}
