// Small phrases that several forms share, so that the same fact reads the same everywhere. Text that came from
// user code is made safe here and nowhere later.

import { formatDuration } from "../../std/duration.ts";
import { escapeControl, oneLine } from "../../std/text.ts";
import { showCount, showDuration, showRemaining } from "../../std/shown/figures.ts";
import type { TimeLeft } from "../../service/plan/time-left.ts";
import type { Wait } from "./progress/stage-progress.ts";

/** `score/row-7`, or `score`. */
export function addressOf(stage: string, item: string | undefined): string {
  return item === undefined ? stage : `${stage}/${escapeControl(item)}`;
}

/** The same in quotes, with quotes inside escaped, for lines that programs read. */
export function quoted(text: string): string {
  return `"${oneLine(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** A word as it stands, anything else in quotes. */
export function wordOrQuoted(text: string): string {
  return /^[\w.,:/@+-]+$/.test(text) ? text : quoted(text);
}

/** `attempt 2 of 3`; undefined: there is only one, or its number is not known. */
export function attemptOf(attempt: number | undefined, attemptsMax: number): string | undefined {
  if (attempt === undefined || attemptsMax < 2) return undefined;
  return `attempt ${attempt} of ${Math.max(attempt, attemptsMax)}`;
}

/** What is waited for, and until when: `["attempt 2 of 3 in 4.1 s", "HTTP 502"]`. */
export function describeWait(wait: Wait, attemptsMax: number, nowMs: number): string[] {
  const due =
    wait.dueAtMs === undefined || wait.dueAtMs <= nowMs ? "" : ` in ${dueIn(wait.dueAtMs, nowMs)}`;
  if (wait.kind === "retry") {
    const attempt = attemptOf(wait.attempt, attemptsMax) ?? "next attempt";
    return [`${attempt}${due}`, ...(wait.message === undefined ? [] : [oneLine(wait.message)])];
  }
  const name = wait.name === undefined ? wait.kind : `${wait.kind} ${escapeControl(wait.name)}`;
  return [
    name,
    ...(wait.ahead === undefined ? [] : [`${showCount(wait.ahead)} ahead`]),
    ...(due === "" ? [] : [`${NEXT_WORDS[wait.kind] ?? "next"}${due}`]),
  ];
}

/** What comes when the time has come. */
const NEXT_WORDS: Readonly<Record<string, string>> = { quota: "next token", breaker: "probe" };

function dueIn(dueAtMs: number, nowMs: number): string {
  return showDuration(Math.ceil((dueAtMs - nowMs) / 100) * 100);
}

/** `3m to 5m left (medium confidence)`; of what is overdue `over 3m left`, or that it takes longer than before. */
export function describeLeft({ lowMs, highMs, confidence, isOverdue }: TimeLeft): string {
  const [low, high] = [showRemaining(lowMs), showRemaining(highMs)];
  if (isOverdue) return lowMs > 0 ? `over ${low} left` : "longer than before";
  return `${low === high ? low : `${low} to ${high}`} left (${confidence} confidence)`;
}

/** For lines that programs read: `left=3m..5m confidence=medium earlier_runs=14`. */
export function leftFacts({ lowMs, highMs, confidence, isOverdue, runs }: TimeLeft): string {
  const [low, high] = [lowMs, highMs].map((ms) => showRemaining(ms).replaceAll(" ", ""));
  const range = isOverdue ? `${lowMs > 0 ? low : ""}..` : low === high ? low : `${low}..${high}`;
  return `left=${range} confidence=${confidence} earlier_runs=${runs}`;
}

/** For lines that programs read: `quota scorer` as `quota:scorer`. */
export function waitWord(wait: Wait): string {
  return wait.name === undefined ? wait.kind : `${wait.kind}:${escapeControl(wait.name)}`;
}

/** For lines that programs read: `2.4s`, `50m12s`; no blank within. */
export function compactDuration(ms: number): string {
  return formatDuration(ms).replaceAll(" ", "");
}
