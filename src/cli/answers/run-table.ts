// The listing of runs.

import { formatDuration } from "../../std/duration.ts";
import { GATE_KINDS } from "../../model/resource/gate-wait.ts";
import type { BlockerView } from "../../service/views/blocker-view.ts";
import type { FailureView } from "../../service/views/failure-view.ts";
import type { RunView } from "../../service/views/run-view.ts";
import { showCount } from "../../std/shown/figures.ts";
import type { Look } from "../render/look.ts";
import { markOf } from "../render/marks.ts";
import { stateWord } from "../../model/drawing/state-words.ts";
import { oneLine } from "../../std/text.ts";
import { renderTable } from "../render/table.ts";

/** One line for each run, with headings. */
export function renderRunTable(runs: readonly RunView[], look: Look, nowMs: number): string {
  return renderTable(
    {
      columns: [
        { head: "RUN" },
        { head: "PIPELINE", flexible: true },
        { head: "STATE" },
        { head: "STARTED" },
        { head: "TOOK" },
        { head: "ITEMS" },
        { head: "WHY", flexible: true },
      ],
      rows: runs.map((run) => [
        run.name,
        run.pipeline,
        { text: stateWord(run.state), paint: (text) => look.paint.mark(markOf(run.state), text) },
        run.startedAt ?? run.queuedAt,
        showTook(run, nowMs) ?? look.alphabet.none,
        showItems(run) ?? look.alphabet.none,
        oneLine(sayWhy(run)),
      ]),
    },
    look,
  );
}

/** How long a run took, or takes so far; undefined: it has not begun. */
export function showTook(run: RunView, nowMs: number): string | undefined {
  if (run.durationMs !== undefined) return formatDuration(run.durationMs);
  if (run.startedAt === undefined) return undefined;
  const end = run.endedAt ?? (run.state === "running" ? undefined : run.updatedAt);
  const endMs = end === undefined ? nowMs : Date.parse(end);
  return formatDuration(Math.max(0, endMs - Date.parse(run.startedAt)));
}

/** `9,961/10,000`: succeeded of all. */
function showItems({ items }: RunView): string | undefined {
  if (items.total === 0) return undefined;
  return `${showCount(items.succeeded)}/${showCount(items.total)}`;
}

/** The one thing worth knowing about its state. */
function sayWhy(run: RunView): string {
  if (run.state === "failed" && run.error !== undefined) return sayError(run.error);
  if (run.blocker !== undefined) return sayBlocker(run.blocker);
  if (run.state === "running") return run.running.join(", ");
  if (run.warnings > 0) return `${run.warnings} warning${run.warnings === 1 ? "" : "s"}`;
  return run.state === "cancelled" || run.state === "skipped" ? (run.reason ?? "") : "";
}

/** `quota scorer, 09:06`: a resource with the time at which it may go on; anything else in a sentence. */
function sayBlocker({ kind, name, text, expectedAt }: BlockerView): string {
  const isGate = GATE_KINDS.some((one) => one === kind) && name !== kind;
  if (!isGate) return `${kind}: ${text}`;
  return `${kind} ${name}${expectedAt === undefined ? "" : `, ${expectedAt.slice(11, 16)}`}`;
}

/** `score: HTTP 502 from scorer`. */
function sayError({ stage, item, message }: FailureView): string {
  const place = stage === undefined ? "" : `${stage}${item === undefined ? "" : `/${item}`}: `;
  return `${place}${message}`;
}
